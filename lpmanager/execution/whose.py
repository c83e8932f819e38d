"""Whose a transaction is: a campaign's, or of the owner of a campaign's vault. Pure.

Both are written down under one name in the journal. An owner's has a space, and no campaign's name
has one.
"""

from __future__ import annotations

_OWNERS = "owner of "


def owners(campaign: str) -> str:
    """The name under which the owner of a campaign's vault signs."""
    return _OWNERS + campaign


def in_words(name: str) -> str:
    """The name in a sentence."""
    return f"the {name}" if name.startswith(_OWNERS) else f"campaign {name}"


def how_to_settle(name: str) -> str:
    """The command that sees through what is open under a name."""
    if name.startswith(_OWNERS):
        campaign = name.removeprefix(_OWNERS)
        return f"the next `lpm vault ... {campaign} --live` sees it through first"
    return f"`lpm run --once --live {name}` sees it through"


def how_to_go_on(name: str) -> str:
    """What there is to do once a person has looked."""
    return "type the command again" if name.startswith(_OWNERS) else f"`lpm resume {name}`"

"""Whose a transaction is: a campaign's, or of the owner of a campaign's vault. Pure.

Both are written down under one name in the journal. An owner's has a space, and no campaign's name
has one.
"""

from __future__ import annotations

from collections.abc import Collection

from lpmanager.errors import StrangersTransaction
from lpmanager.execution.intent import Status, Summary

_OWNERS = "owner of "


def owners(campaign: str) -> str:
    """The name under which the owner of a campaign's vault signs."""
    return _OWNERS + campaign


def is_owners(name: str) -> bool:
    """Whether it is the name of an owner."""
    return name.startswith(_OWNERS)


def in_words(name: str) -> str:
    """The name in a sentence."""
    return f"the {name}" if is_owners(name) else f"campaign {name}"


def how_to_settle(name: str) -> str:
    """The command that sees through what is open under a name."""
    if is_owners(name):
        campaign = name.removeprefix(_OWNERS)
        return f"the next `lpm vault ... {campaign} --live` sees it through first"
    return f"`lpm run --once --live {name}` sees it through"


def how_to_go_on(name: str) -> str:
    """What there is to do once a person has looked."""
    return "type the command again" if is_owners(name) else f"`lpm resume {name}`"


def something_else_signs(
    account: str, expected: int, found: str, name: str
) -> StrangersTransaction:
    """What to raise under a name where the next nonce of an account is not the one expected."""
    return StrangersTransaction(
        f"account {account}: expected its next nonce to be {expected}, found {found}; something "
        f"else signs for it. Look at the account's transactions, then {how_to_go_on(name)}"
    )


def next_nonce(history: Collection[Summary], name: str, found: int) -> int:
    """The next nonce of an account, by its history and by what was told under a name; `found` where
    there is no history.

    A nonce that somebody else used counts once that was told under this very name, or once we have
    signed again: what one campaign was told of, none of the others may go on behind.
    """
    told = [
        intent.nonce + 1
        for intent in history
        if (intent.campaign == name if intent.status is Status.REPLACED else intent.was_signed)
    ]
    lost = [intent.nonce for intent in history if intent.status is Status.REPLACED]
    return max(told, default=min(lost, default=found))

"""How long ago something last happened, as far as anybody looked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """`last_s`: seconds since then; None where it did not happen in the newest `within_s` seconds.

    Only those could be judged, of `history_s` seconds that were looked at: what came before is what
    they are compared with.
    """

    last_s: int | None
    within_s: int
    history_s: int

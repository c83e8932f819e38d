"""What a position is called where people read of it."""

from __future__ import annotations

from lpmanager.venues.liquidity_vault import range_of

#: No position manager will ever have numbered so many NFTs, and no vault's address is so small that
#: an id of one of its positions is below.
_FIRST_OF_A_VAULT = 1 << 48


def position_name(token_id: int) -> str:
    """An NFT by its number, a position of a vault by its range: "[-600, 600)"."""
    return str(token_id) if token_id < _FIRST_OF_A_VAULT else str(range_of(token_id))

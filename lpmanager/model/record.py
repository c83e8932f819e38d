"""What the books know of a campaign: the part of a decision's input that is not on chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lpmanager.model.tick import Liquidity, SqrtPriceX96, TickRange
from lpmanager.model.token import Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """Tokens the owner put in (or, negative, took out), and the pool's price at that block."""

    amounts: Amounts
    sqrt_price_x96: SqrtPriceX96
    block_number: int
    timestamp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a position held when it was minted or adopted, and the pool's price then."""

    token_id: int
    range: TickRange
    liquidity: Liquidity
    amounts: Amounts
    sqrt_price_x96: SqrtPriceX96
    timestamp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was done since the limits' day began (the last 86,400 s), from the ledger.

    `gas_raw` is in wei; `swap_cost_quote_raw` in raw quote units, rounded up.
    """

    moves: int
    gas_raw: int
    swap_cost_quote_raw: int
    last_move_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRecord:
    """The books of one campaign as a decision needs them.

    `wallet` is the campaign's own share of the account's balances, to the wei; `fees` are all that
    its positions earned so far, collected or not, and `gas_raw` all gas so far, in wei.
    """

    wallet: Amounts
    fees: Amounts
    gas_raw: int
    deposits: tuple[Deposit, ...]
    bases: Mapping[int, Basis]
    usage: Usage

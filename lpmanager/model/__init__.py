"""Leaf values; standard library only. Import from here: `from lpmanager.model import Amount`."""

from lpmanager.model.decision import (
    Action,
    Collect,
    Decision,
    Estimate,
    Gate,
    Hold,
    Mint,
    Plan,
    Swap,
    SwapPurpose,
    Target,
    WeightedRange,
    Withdraw,
)
from lpmanager.model.outcome import Collected, Fact, Minted, Outcome, Step, Swapped, Withdrawn
from lpmanager.model.pool import PoolKey, PoolState, TickState
from lpmanager.model.position import Position
from lpmanager.model.price import Price, valuation_price
from lpmanager.model.record import Basis, CampaignRecord, Deposit, Usage
from lpmanager.model.snapshot import Block, Flow, Snapshot, SwapEvent, Twap, Wallet
from lpmanager.model.tick import MAX_TICK, MIN_TICK, Liquidity, SqrtPriceX96, TickRange
from lpmanager.model.token import NATIVE, Amount, Amounts, Token, amount_from_text_down

__all__ = [
    "MAX_TICK",
    "MIN_TICK",
    "NATIVE",
    "Action",
    "Amount",
    "Amounts",
    "Basis",
    "Block",
    "CampaignRecord",
    "Collect",
    "Collected",
    "Decision",
    "Deposit",
    "Estimate",
    "Fact",
    "Flow",
    "Gate",
    "Hold",
    "Liquidity",
    "Mint",
    "Minted",
    "Outcome",
    "Plan",
    "PoolKey",
    "PoolState",
    "Position",
    "Price",
    "Snapshot",
    "SqrtPriceX96",
    "Step",
    "Swap",
    "SwapEvent",
    "SwapPurpose",
    "Swapped",
    "Target",
    "TickRange",
    "TickState",
    "Token",
    "Twap",
    "Usage",
    "Wallet",
    "WeightedRange",
    "Withdraw",
    "Withdrawn",
    "amount_from_text_down",
    "valuation_price",
]

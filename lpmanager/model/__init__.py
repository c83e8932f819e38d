"""Leaf values; standard library only. Import from here: `from lpmanager.model import Amount`.

The values of a pool are loaded at once, the others when they are first asked for: the exact maths
in `amm` needs no more, and a command that needs no more starts sooner.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lpmanager.model.pool import PoolKey, PoolState, TickState
from lpmanager.model.position import Position
from lpmanager.model.price import Price, valuation_price
from lpmanager.model.tick import MAX_TICK, MIN_TICK, Liquidity, SqrtPriceX96, TickRange
from lpmanager.model.token import NATIVE, Amount, Amounts, Token, amount_from_text_down

if TYPE_CHECKING:
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
        VaultTurn,
        WeightedRange,
        Withdraw,
    )
    from lpmanager.model.health import ChainHealth, TokenCheck
    from lpmanager.model.outcome import (
        Collected,
        Fact,
        Minted,
        Outcome,
        Step,
        Stop,
        StopKind,
        Swapped,
        Withdrawn,
    )
    from lpmanager.model.record import Basis, CampaignRecord, Deposit, Usage
    from lpmanager.model.snapshot import Block, Flow, Snapshot, Twap, Wallet
    from lpmanager.model.swaps import SwapColumns, SwapEvent
    from lpmanager.model.vault import VaultBounds, VaultState

_LATER = {
    "decision": (
        "Action",
        "Collect",
        "Decision",
        "Estimate",
        "Gate",
        "Hold",
        "Mint",
        "Plan",
        "Swap",
        "SwapPurpose",
        "Target",
        "VaultTurn",
        "WeightedRange",
        "Withdraw",
    ),
    "outcome": (
        "Collected",
        "Fact",
        "Minted",
        "Outcome",
        "Step",
        "Stop",
        "StopKind",
        "Swapped",
        "Withdrawn",
    ),
    "health": ("ChainHealth", "TokenCheck"),
    "record": ("Basis", "CampaignRecord", "Deposit", "Usage"),
    "snapshot": ("Block", "Flow", "Snapshot", "Twap", "Wallet"),
    "swaps": ("SwapColumns", "SwapEvent"),
    "vault": ("VaultBounds", "VaultState"),
}
_HOMES = {name: module for module, names in _LATER.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


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
    "ChainHealth",
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
    "Stop",
    "StopKind",
    "Swap",
    "SwapColumns",
    "SwapEvent",
    "SwapPurpose",
    "Swapped",
    "Target",
    "TickRange",
    "TickState",
    "Token",
    "TokenCheck",
    "Twap",
    "Usage",
    "VaultBounds",
    "VaultState",
    "VaultTurn",
    "Wallet",
    "WeightedRange",
    "Withdraw",
    "Withdrawn",
    "amount_from_text_down",
    "valuation_price",
]

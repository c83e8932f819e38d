"""Whether a campaign was worth its gas, and what perfect hindsight would have made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lpmanager.ledger.diary import CycleRow
    from lpmanager.ledger.result import Result
    from lpmanager.model import Token
    from lpmanager.rebalancer import View
    from lpmanager.risk.missing import Missing
    from lpmanager.risk.regret import Regret


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Gas over fees since the campaign began, and its regret over that time."""

    gas_to_fees: float | Missing
    regret: Regret | Missing


def worth_of(view: View, result: Result, diary: Sequence[CycleRow]) -> Worth:
    """Of a campaign with a first deposit: by the prices of all its cycles since, and with the base
    tokens that its owner put in and did not take out."""
    from lpmanager.inventory.impermanent_loss import net_deposits
    from lpmanager.model import SqrtPriceX96
    from lpmanager.rebalancer.efficiency_gates import gas_to_fees_so_far
    from lpmanager.risk.regret import regret

    snapshot, deposits = view.snapshot, view.record.deposits
    seen = {row.timestamp: SqrtPriceX96(row.sqrt_price_x96) for row in diary}
    seen[snapshot.block.timestamp] = snapshot.state.sqrt_price_x96
    times = sorted(time for time in seen if time >= deposits[0].timestamp)
    put_in, base = net_deposits(snapshot.pool, deposits), result.price.base
    held = put_in.amount0 if put_in.amount0.token == base else put_in.amount1
    return Worth(
        gas_to_fees=gas_to_fees_so_far(view),
        regret=regret(
            times,
            [float(snapshot.pool.price(snapshot.quote, seen[time]).per_whole) for time in times],
            base=max(held.raw, 0) / 10**base.decimals,
            gained=float(result.nav_end - result.hodl_value) / 10**snapshot.quote.decimals,
        ),
    )


def worth_rows(worth: Worth, quote: Token) -> list[tuple[str, str]]:
    """For a person."""
    from lpmanager.cli.words import number
    from lpmanager.risk.missing import Missing

    def money(value: float) -> str:
        return f"{number(Fraction(value))} {quote.symbol}"

    spent, regretted = worth.gas_to_fees, worth.regret
    told = f"unknown: {spent.reason}" if isinstance(spent, Missing) else f"{spent:.1%}"
    rows = [("gas over fees", told)]
    if isinstance(regretted, Missing):
        return [*rows, ("perfect hindsight", f"unknown: {regretted.reason}")]
    return [
        *rows,
        ("perfect hindsight was worth", money(regretted.hindsight)),
        ("the campaign gained on HODL less than that by", money(regretted.behind)),
    ]


def worth_json(worth: Worth) -> dict[str, Any]:
    """Numbers, of whole quote tokens where they are money; null where unknown, and then why."""
    from lpmanager.risk.missing import Missing

    spent, regretted = worth.gas_to_fees, worth.regret
    told = (("gas_to_fees", spent), ("hindsight", regretted))
    return {
        "gas_to_fees": None if isinstance(spent, Missing) else spent,
        "hindsight": None if isinstance(regretted, Missing) else regretted.hindsight,
        "behind_hindsight": None if isinstance(regretted, Missing) else regretted.behind,
        "unknown": {name: each.reason for name, each in told if isinstance(each, Missing)},
    }

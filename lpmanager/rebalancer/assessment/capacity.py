"""What a campaign can still trade each way, and what it keeps beside its ranges."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from lpmanager.inventory import PositionInventory
from lpmanager.model import Amount
from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.used_up import widest
from lpmanager.rebalancer.view import View
from lpmanager.risk.missing import Missing

_SELLS = "in all ranges, as the price of the base token rises to their ends; without fees"
_BUYS = "in all ranges, as it falls to their other ends; without fees"
_IDLE = "in the wallet or vault, outside of all ranges"


def capacity_measures(view: View) -> tuple[Measure, ...]:
    """How far each side of the widest range is used, which is what a limit on that judges; what all
    ranges can still trade until they end; and the tokens outside of them."""
    every = [position.capacity for position in view.inventory.positions]
    spent, price = widest(view), view.snapshot.price
    wallet = view.inventory.holdings.wallet
    idle = {each.token: each for each in (wallet.amount0, wallet.amount1)}
    return (
        _used("sell", None if spent is None else spent.capacity.base_used, spent),
        _used("buy", None if spent is None else spent.capacity.quote_used, spent),
        _amount("can still sell", (c.base_left for c in every), Unit.BASE, _SELLS),
        _amount("sells that for", (c.base_sells_for for c in every), Unit.QUOTE, _SELLS),
        _amount("can still buy", (c.quote_buys for c in every), Unit.BASE, _BUYS),
        _amount("buys that for", (c.quote_left for c in every), Unit.QUOTE, _BUYS),
        _amount("idle base", [idle[price.base]], Unit.BASE, _IDLE),
        _amount("idle quote", [idle[price.quote]], Unit.QUOTE, _IDLE),
    )


def _used(side: str, share: Fraction | None, spent: PositionInventory | None) -> Measure:
    which = "" if spent is None else f" {spent.position.range}"
    return Measure(
        question=Question.EXPOSURE,
        name=f"{side} side used",
        value=Missing(f"no position can {side} anything") if share is None else float(share),
        unit=Unit.SHARE,
        meaning=f"of what the widest range{which} can {side}",
    )


def _amount(name: str, amounts: Iterable[Amount], unit: Unit, meaning: str) -> Measure:
    """The sum, in whole tokens."""
    whole = sum((Fraction(each.raw, 10**each.token.decimals) for each in amounts), Fraction(0))
    return Measure(
        question=Question.EXPOSURE, name=name, value=float(whole), unit=unit, meaning=meaning
    )

"""What a backtest found, in sentences: the titles of its pictures, and the first lines printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from lpmanager.backtest.report.benchmarks import WAY_WORDS, Standing, Way, standings
from lpmanager.backtest.report.coverage import Coverage
from lpmanager.backtest.report.run import Run
from lpmanager.backtest.report.statistics import Statistics, Unknown, statistics
from lpmanager.backtest.report.wording import (
    gain,
    money,
    number,
    percent,
    percent_gain,
    times,
)
from lpmanager.model import Token
from lpmanager.model.units import duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A run with all that is told of it."""

    run: Run
    statistics: Statistics
    standings: tuple[Standing, ...]

    @property
    def base(self) -> Token:
        """The pool's token that is not the quote."""
        pool = self.run.pool
        return pool.token1 if self.run.quote == pool.token0 else pool.token0

    @property
    def symbol(self) -> str:
        """The quote token's symbol."""
        return self.run.quote.symbol

    @property
    def price_unit(self) -> str:
        """What a price counts: "USDC per WETH"."""
        return f"{self.symbol} per {self.base.symbol}"


def findings_of(run: Run) -> Findings:
    """The run, measured and compared."""
    return Findings(run=run, statistics=statistics(run), standings=standings(run))


def result_change(result: Mapping[str, Decimal]) -> Decimal:
    """What was gained or lost, deposits aside, in whole quote tokens."""
    return result["nav_end"] - result["nav_start"] - result["net_deposits"]


def headline(found: Findings) -> str:
    """The result, in one sentence."""
    result = found.run.result
    change = result_change(result)
    against_hodl = result["nav_end"] - result["hodl_value"]
    share = f" ({percent_gain(float(change / result['nav_start']))})" if result["nav_start"] else ""
    return (
        f"{gain(change, found.symbol)}{share} in {duration(found.run.end - found.run.start)}, "
        f"{_more_or_less(against_hodl, found.symbol)} than holding the deposit"
    )


def halt_finding(found: Findings) -> str | None:
    """Why nothing was decided any more, or None."""
    if found.run.halted is None:
        return None
    return f"It halted itself, as a live run does, and decided nothing more: {found.run.halted}"


def price_finding(found: Findings) -> str:
    """How the price and the ranges went together."""
    told, price = found.statistics, found.run.curve.price
    move = percent_gain(float(price[-1] / price[0]) - 1)
    if isinstance(told.in_range_share, Unknown):
        return f"The price moved {move}, and no liquidity was ever placed"
    moved = f"moved {times(told.rebalances)}" if told.rebalances else "never moved"
    return (
        f"In range {percent(told.in_range_share)} of the time deployed, {moved} while the price "
        f"moved {move}"
    )


def value_finding(found: Findings) -> str:
    """Where the run stands among what else could have been done."""
    ended = {s.way: s.end_value for s in found.standings if not isinstance(s.end_value, Unknown)}
    ours = ended.get(Way.RUN)
    if ours is None:
        return "The value at the end is not known"
    better = [WAY_WORDS[way] for way, end in ended.items() if end > ours]
    worse = [WAY_WORDS[way] for way, end in ended.items() if end < ours]
    if not better and not worse:
        return "All ended alike"
    if not better:
        return "This run ended above " + _listed(worse)
    if not worse:
        return "This run ended below " + _listed(better)
    return f"This run ended above {_listed(worse)}, and below {_listed(better)}"


def result_finding(found: Findings) -> str:
    """What the fees had to pay for."""
    result, symbol = found.run.result, found.symbol
    lost, costs = -result["impermanent_loss"], result["swap_cost"] + result["gas"]
    verb = "paid for" if result["fees"] >= lost + costs else "did not pay for"
    against = f"{money(lost, symbol)} of impermanent loss and " if lost > 0 else ""
    return (
        f"Fees of {money(result['fees'], symbol)} {verb} {against}{money(costs, symbol)} of swaps "
        "and gas"
    )


def mix_finding(found: Findings) -> str:
    """How far the mix of tokens went."""
    weight, base = found.run.curve.weight, found.base.symbol
    weight = weight[np.isfinite(weight)]
    if len(weight) == 0:
        return "Nothing was held"
    return (
        f"{base} was between {percent(float(weight.min()))} and {percent(float(weight.max()))} of "
        f"the value, and {percent(float(weight[-1]))} at the end"
    )


def liquidity_finding(coverage: Coverage) -> str:
    """How well the places of liquidity and price agree."""
    return (
        f"For {percent(coverage.covered)} of the time the price was where liquidity ever stood; "
        f"{percent(coverage.reached)} of the liquidity was where the price ever went"
    )


def lvr_finding(found: Findings) -> str:
    """Whether fees made up for what arbitrage took."""
    ratio = found.statistics.fees_per_lvr
    if isinstance(ratio, Unknown):
        return f"Fees against loss to arbitrage: {ratio.why}"
    lvr = money(float(found.run.curve.lvr[-1]), found.symbol)
    if ratio >= 1:
        return f"Fees were {number(ratio)} times the {lvr} lost to arbitrage (LVR)"
    return f"Fees made up for {percent(ratio)} of the {lvr} lost to arbitrage (LVR)"


def _more_or_less(difference: Decimal, symbol: str) -> str:
    if difference == 0:
        return "no more"
    return f"{money(abs(difference), symbol)} {'more' if difference > 0 else 'less'}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

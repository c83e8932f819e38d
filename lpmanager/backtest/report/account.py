"""A backtest as tables of text, for the terminal and for the page."""

from __future__ import annotations

from lpmanager.backtest.markets.market import utc
from lpmanager.backtest.report.benchmarks import WAY_WORDS, Standing, Way
from lpmanager.backtest.report.findings import Findings
from lpmanager.backtest.report.run import Drift, Move
from lpmanager.backtest.report.sampling import prices_of
from lpmanager.backtest.report.statistics import Drawdown, Unknown
from lpmanager.backtest.report.wording import (
    money,
    number,
    percent,
    percent_gain,
    shown,
    signed,
)
from lpmanager.ledger.identity import TERMS
from lpmanager.model import TickRange
from lpmanager.model.units import duration
from lpmanager.page.tables import Table


def tables(found: Findings) -> tuple[Table, ...]:
    """All tables that have rows, in the order to read them."""
    made = (
        result_table(found),
        statistics_table(found),
        standings_table(found),
        moves_table(found),
        holds_table(found),
    )
    return tuple(table for table in made if table.rows)


def about(found: Findings) -> str:
    """What was run on what, and how, in a sentence."""
    run = found.run
    return (
        f"{run.pool}, {utc(run.start)} to {utc(run.end)}: {run.rows:,} rows, {run.decisions:,} "
        f"decisions, {run.mode} mode. Values are in {found.symbol}."
    )


def notes(found: Findings) -> tuple[str, ...]:
    """What was assumed and what is not told; how far fast mode was from exact mode, where that was
    measured."""
    run = found.run
    said = [_sentence(note) for note in run.notes]
    if run.untold:
        said.append(f"Left out: {'; '.join(f'{what}, {why}' for what, why in run.untold.items())}.")
    if run.drift is not None:
        said.append(drift_words(run.drift))
    return tuple(said)


def drift_words(drift: Drift) -> str:
    """How far fast mode was from exact mode."""
    return (
        f"Fast mode was at most {drift.fees:.1e} of the fees and {drift.amounts:.1e} of the "
        f"amounts away from exact mode, on a sample of {drift.rows:,} rows."
    )


def _sentence(text: str) -> str:
    """With a capital letter and a full stop, whatever wrote it."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def result_table(found: Findings) -> Table:
    """The terms of the identity that the run knows, and what they leave over."""
    result, decimals = found.run.result, found.run.quote.decimals
    price = f"{number(float(found.run.curve.price[-1]))} {found.price_unit}"
    return Table(
        title=f"The result, at the end's price of {price}",
        columns=("", "", found.symbol),
        rows=tuple(
            (sign, _words(found, term, words), f"{result[term]:,.{decimals}f}")
            for term, sign, words in TERMS
            if term in result
        ),
        right=frozenset({2}),
    )


def _words(found: Findings, term: str, words: str) -> str:
    is_of_floats = found.run.mode == "fast" and term == "identity_error"
    return "left over (floats are no exact arithmetic)" if is_of_floats else words


def statistics_table(found: Findings) -> Table:
    """Every statistic with its name."""
    told, symbol = found.statistics, found.symbol
    rows = (
        ("fees earned", money(found.run.result["fees"], symbol)),
        ("fee APR, of the mean value", shown(told.fee_apr_share, percent)),
        ("that net of LVR and gas", shown(told.net_fee_apr_share, percent_gain)),
        ("fees / LVR", shown(told.fees_per_lvr, number)),
        ("fees of a million that the pool traded", shown(told.fees_per_volume, _of_a_million)),
        ("gas / fees", shown(told.gas_per_fees, percent)),
        ("time in range, of the time deployed", shown(told.in_range_share, percent)),
        ("time deployed", shown(told.deployed_share, percent)),
        ("rebalances", f"{told.rebalances:,}"),
        ("rebalances a day", shown(told.rebalances_per_day, number)),
        ("largest drawdown", _fall(told.drawdown)),
        ("Sharpe ratio, a year", _sharpe(found)),
        ("CVaR 95 %, mean loss of the worst days", shown(told.cvar95_daily_share, percent)),
        ("perfect hindsight was worth", shown(told.hindsight, lambda worth: money(worth, symbol))),
        (
            "the run gained on HODL less than that by",
            shown(told.behind_hindsight, lambda lost: money(lost, symbol)),
        ),
    )
    return Table(title="In numbers", columns=("", ""), rows=rows)


def standings_table(found: Findings) -> Table:
    """The run beside the other ways."""
    return Table(
        title="Against doing otherwise",
        columns=(
            "",
            f"{found.symbol} at the end",
            "return",
            "drawdown",
            f"{found.symbol} the run is ahead by",
        ),
        rows=tuple(_standing(standing) for standing in found.standings),
        right=frozenset({1, 2, 3, 4}),
    )


def moves_table(found: Findings) -> Table:
    """Every plan that was carried out."""
    symbol, count = found.symbol, len(found.run.moves)
    return Table(
        title=f"{'One move' if count == 1 else f'{count:,} moves'}, in {symbol}",
        columns=("time (UTC)", "price", "ranges after it", "gas", "swap cost", "value", "why"),
        rows=tuple(_move(found, move) for move in found.run.moves),
        right=frozenset({1, 3, 4, 5}),
    )


def holds_table(found: Findings) -> Table:
    """What held it back, the most frequent first."""
    holds = sorted((found.run.holds or {}).items(), key=lambda item: -item[1])
    return Table(
        title="Why nothing was done",
        columns=("", "decisions"),
        rows=tuple((name, f"{count:,}") for name, count in holds),
        right=frozenset({1}),
    )


def _of_a_million(share: float) -> str:
    return number(1e6 * share)


def _sharpe(found: Findings) -> str:
    told = found.statistics
    if isinstance(told.sharpe_error_per_year, Unknown):
        return shown(told.sharpe_per_year, number)
    error = told.sharpe_error_per_year
    return shown(told.sharpe_per_year, lambda ratio: f"{ratio:+z.2f} ± {error:.2f}") + (
        f", from {told.return_days} daily returns"
    )


def _fall(drawdown: Drawdown | Unknown) -> str:
    if isinstance(drawdown, Unknown):
        return f"unknown: {drawdown.why}"
    if drawdown.share == 0:
        return "none"
    return f"{percent(drawdown.share)} in {duration(drawdown.trough_time - drawdown.peak_time)}"


def _standing(standing: Standing) -> tuple[str, ...]:
    if isinstance(standing.end_value, Unknown):
        return WAY_WORDS[standing.way], shown(standing.end_value, number), "", "", ""
    fall = standing.drawdown
    return (
        WAY_WORDS[standing.way],
        number(standing.end_value),
        shown(standing.return_share, percent_gain),
        shown(fall if isinstance(fall, Unknown) else fall.share, percent),
        "" if standing.way is Way.RUN else shown(standing.run_ahead, signed),
    )


def _move(found: Findings, move: Move) -> tuple[str, ...]:
    return (
        utc(move.time).removesuffix(":00 UTC").removesuffix(" UTC"),
        number(move.price),
        ", ".join(_prices(found, span) for span in move.ranges) or "none",
        number(move.gas_quote),
        number(move.swap_cost_quote),
        number(move.value_quote),
        move.reason,
    )


def _prices(found: Findings, span: TickRange) -> str:
    """A range as the two prices it lies between."""
    prices = prices_of(found.run.pool, found.run.quote, (span.lower, span.upper))
    return f"{number(float(prices.min()))} to {number(float(prices.max()))}"

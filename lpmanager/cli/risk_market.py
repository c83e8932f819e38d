"""`lpm risk --market`: the risk desk at the end of a recorded market."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lpmanager.cli.extras import require_backtest
from lpmanager.cli.market_option import (
    ChainName,
    Fee,
    From,
    MarketOptions,
    Pair,
    Quote,
    Spacing,
    To,
    open_market,
)
from lpmanager.cli.options import DEFAULT_CONFIG, ConfigPath
from lpmanager.cli.strategy_options import (
    StrategyOptions,
    chains_of,
    own_chains,
    settings_of,
    strategy_of,
)
from lpmanager.errors import UsageError
from lpmanager.risk.missing import Missing

if TYPE_CHECKING:
    from lpmanager.backtest.markets.market import Market
    from lpmanager.model import Target
    from lpmanager.rebalancer import Limits, Policy, View
    from lpmanager.risk.efficiency import Efficiency
    from lpmanager.risk.learned.next_hour import NextHour
    from lpmanager.risk.price_path import PricePath

MarketFile = Annotated[
    Path | None,
    typer.Option(
        "--market",
        metavar="MARKET",
        help="Ask at the end of this recorded market instead, as `lpm backtest` reads it; without "
        "--policy or --campaign nothing is placed in it.",
    ),
]
#: What the forecasts need, by the names that they are imported by.
_FORECASTS_NEED = ("arch", "scipy", "sklearn")
_NOTHING_PLACED = Missing("nothing is placed: no --policy was told")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketAsked:
    """A recorded market in a person's words, where one is named: MarketOptions otherwise."""

    market: MarketFile = None
    pair: Pair = None
    fee: Fee = None
    spacing: Spacing = None
    chain: ChainName = None
    quote: Quote = None
    start: From = None
    end: To = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyAsked(StrategyOptions):
    """What is placed in a recorded market. `config` is also that of the live campaigns."""

    config: ConfigPath = DEFAULT_CONFIG


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingPlaced:
    """The policy of a campaign that only holds its deposit."""

    def target(self, view: View) -> Target:
        """What is held, which is no position."""
        from lpmanager.rebalancer.policies.base import keep

        return keep(view.snapshot.positions, _NOTHING_PLACED.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSeen:
    """The end of a market. `path` is its price from the first row to the last, `so_far` how well
    what was placed has paid, and `notes` what was taken for granted on the way."""

    name: str
    view: View
    policy: Policy
    limits: Limits
    market: Market
    path: PricePath
    so_far: Efficiency | Missing
    notes: tuple[str, ...]


def require_no_market(market: MarketAsked, strategy: StrategyAsked) -> None:
    """Raise UsageError where something was told of a market, but no market."""
    told = [*_told(market, MarketAsked()), *_told(strategy, StrategyAsked(config=strategy.config))]
    if told:
        raise UsageError(
            f"--market: missing; {', '.join(told)} is about a recorded market, and a live campaign "
            "has its own in the configuration"
        )


def end_of(market: MarketAsked, strategy: StrategyAsked, campaigns: Sequence[str]) -> MarketSeen:
    """Replay the market that was named, with the campaign that was told, and look at its end.

    Raises UsageError for what is missing, LpmError without the extra, MarketDataError for a market
    that is wrong.
    """
    if market.market is None:
        raise ValueError("no market is named")
    if campaigns:
        raise UsageError(
            f"{' '.join(campaigns)}: names live campaigns, of which a market has none; take one's "
            f"policy by --campaign {campaigns[0]}"
        )
    require_backtest()
    from lpmanager.backtest.markets.market_path import market_path
    from lpmanager.backtest.replay.exact import Replay
    from lpmanager.backtest.replay.reported_policy import ReportedPolicy
    from lpmanager.backtest.replay.tape import tape_of
    from lpmanager.backtest.report.statistics import efficiency, statistics
    from lpmanager.rebalancer import make_policy

    is_empty = strategy.policy is None and strategy.campaign is None
    told = replace(strategy, policy=f"{__name__}:NothingPlaced") if is_empty else strategy
    settings = settings_of(told)
    named = {field.name: getattr(market, field.name) for field in fields(MarketOptions)}
    opened = open_market(
        MarketOptions(**named), chains_of(settings), lambda: own_chains(strategy.config)
    )
    campaign = strategy_of(told, settings, opened)
    table, tape = campaign.table, tape_of(opened.market, campaign.terms.block_s)
    policy = ReportedPolicy(name=table.policy, policy=make_policy(table.policy, table.options))
    limits = table.limits_for(opened.chain, opened.quote)
    replay = Replay(opened.market, tape, campaign.terms, policy, limits)
    while not (is_empty or replay.is_over):
        replay.step()
    view, run = replay.look(int(tape.times[-1])), replay.run()
    return MarketSeen(
        name=opened.market.name,
        view=view,
        policy=policy,
        limits=limits,
        market=opened.market,
        path=market_path(opened.market),
        so_far=_NOTHING_PLACED if is_empty else efficiency(statistics(run)),
        notes=(*_halted(run.halted), *run.notes, *campaign.notes),
    )


def forecasts_of(path: PricePath) -> NextHour | Missing:
    """The contest of forecasters on a market's price, or what it needs."""
    from importlib.util import find_spec

    absent = [name for name in _FORECASTS_NEED if find_spec(name) is None]
    if absent:
        return Missing(
            f"forecasts need {' and '.join(absent)}: pip install 'lpmanager[backtest,quant,ml]'"
        )
    from lpmanager.risk.learned.next_hour import next_hour

    return next_hour(path)


def print_forecasts(found: NextHour | Missing) -> None:
    """Who forecasts the next hour best, and what he says."""
    from lpmanager.cli.output import console, print_table
    from lpmanager.risk.implied_volatility import annual_volatility

    if isinstance(found, Missing):
        console().print(f"Which forecast is believed? unknown: {found.reason}", markup=False)
        return
    rows = [
        (score.name, f"{score.qlike:.4f}", "used" if score.name == found.used else "")
        for score in found.contest.scores
    ]
    rows += [(name, "unknown", missing.reason) for name, missing in found.contest.left_out]
    print_table(
        f"Which forecast is believed? On {found.contest.scored} hours that none had seen, the "
        "lower the better",
        ("forecaster", "QLIKE", ""),
        rows,
    )
    volatility = annual_volatility(found.variance_rate)
    console().print(f"The next hour: a volatility of {volatility:.1%} a year.", markup=False)
    if found.unused is not None:
        console().print(f"{found.unused.reason}.", markup=False)


def forecasts_json(found: NextHour | Missing) -> dict[str, Any]:
    """The same for programs: `missing` says why there is none."""
    if isinstance(found, Missing):
        return {"missing": found.reason}
    from lpmanager.risk.implied_volatility import annual_volatility

    return {
        "missing": None,
        "hours": found.contest.scored,
        "qlike": {score.name: score.qlike for score in found.contest.scores},
        "left_out": {name: missing.reason for name, missing in found.contest.left_out},
        "used": found.used,
        "learned_is_not_used": None if found.unused is None else found.unused.reason,
        "volatility": annual_volatility(found.variance_rate),
        "unit": "per root year",
    }


def _halted(reason: str | None) -> tuple[str, ...]:
    return () if reason is None else (f"The campaign halted itself on the way: {reason}",)


def _told(options: MarketAsked | StrategyAsked, untold: MarketAsked | StrategyAsked) -> list[str]:
    """The options that were given, as they are typed."""
    typed = {"start": "from", "end": "to"}
    return [
        f"--{typed.get(field.name, field.name).replace('_', '-')}"
        for field in fields(options)
        if getattr(options, field.name) != getattr(untold, field.name)
    ]

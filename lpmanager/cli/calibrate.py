"""`lpm calibrate`: learn from a history of the price what later cycles use, with its age."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.campaigns import CampaignNames, chosen, dry, for_each, wall_clock
from lpmanager.cli.option_groups import spread
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings
from lpmanager.cli.risk_market import MarketAsked, StrategyAsked
from lpmanager.errors import LpmError, UsageError

if TYPE_CHECKING:
    from lpmanager.risk.calibration.calibration import Calibration
    from lpmanager.risk.learned.toxic_share import FlowPeriods
    from lpmanager.risk.missing import Missing
    from lpmanager.risk.price_path import PricePath
    from lpmanager.settings import Settings

HistoryFile = Annotated[
    Path | None,
    typer.Option(
        "--market",
        metavar="MARKET",
        help="Learn from this recorded market, as `lpm backtest` reads it. Without it: from "
        "limits.history_s of the chain, which is mostly too short for a forecast.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAsked(MarketAsked):
    """A recorded market to learn from, where one is named."""

    market: HistoryFile = None


@spread
def calibrate(
    *,
    campaigns: CampaignNames = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
    market: HistoryAsked,
) -> None:
    """Find who forecasts the volatility best, two regimes of it, its last change and how toxic the
    next hour should be, and keep that in the store for the cycles to come. Signs nothing."""
    from lpmanager.cli.calibration_words import calibration_json, print_calibration
    from lpmanager.cli.output import note, print_json
    from lpmanager.cli.risk_market import require_no_market

    settings = load_settings(config)
    names = chosen(settings, campaigns)
    if market.market is None:
        require_no_market(market, StrategyAsked(config=config))
    elif len(names) != 1:
        raise UsageError(
            f"--market: is the history of one pool; name the campaign that it is for, one of "
            f"{', '.join(names)}"
        )
    found = for_each(names, lambda name: _calibrate(settings, name, market))
    if as_json:
        shown = {name: calibration_json(one) for name, one in found.done.items()}
        print_json({"campaigns": shown, "errors": found.errors})
    else:
        for name, one in found.done.items():
            print_calibration(name, one)
    for name, one in found.done.items():
        note(_age(settings, name, one))
    found.exit_if_failed()


def _calibrate(settings: Settings, name: str, market: HistoryAsked) -> Calibration:
    """Make it and keep it. Raises LpmError where the history is too short for any part of it; then
    the one before stays."""
    from lpmanager.ledger.calibrations import keep_calibration
    from lpmanager.ledger.store import Ledger
    from lpmanager.risk.calibration.fitting import calibrate as fitted
    from lpmanager.risk.missing import Missing

    live = market.market is None
    history = _of_chain(settings, name) if live else _of_market(settings, name, market)
    path, flow = history
    made = path if isinstance(path, Missing) else fitted(path, flow)
    if isinstance(made, Missing):
        raise LpmError(f"campaign {name}: nothing could be calibrated: {made.reason}")
    ledger = Ledger.open(settings.store)
    keep_calibration(ledger.engine, name, made)
    ledger.engine.dispose()
    return made


def _of_chain(settings: Settings, name: str) -> tuple[PricePath | Missing, Missing]:
    from lpmanager.risk.missing import Missing
    from lpmanager.risk.price_path import path_of

    flow = Missing("the toxic share is learned from the swaps of a recorded market: --market")
    return path_of(dry(settings)(name).read()), flow


def _of_market(
    settings: Settings, name: str, market: HistoryAsked
) -> tuple[PricePath, FlowPeriods | Missing]:
    """Its price and flow. Its quote token is the campaign's, so that a market without that token is
    refused; and so is a store of another pool than the campaign names. A file does not tell its
    pool."""
    from lpmanager.cli.extras import require_backtest

    require_backtest()
    from lpmanager.backtest.markets.market_path import market_path
    from lpmanager.backtest.markets.toxic_flow import toxic_periods
    from lpmanager.cli.market_option import MarketOptions, open_market

    named = {field.name: getattr(market, field.name) for field in fields(MarketOptions)}
    options = MarketOptions(**named)
    table = settings.campaigns[name]
    if options.quote is None and not table.quote.startswith("0x"):
        options = replace(options, quote=table.quote)
    found = open_market(options, settings.known_chains()).market
    is_of_store, address = market.pair is None, found.pool.address
    if is_of_store and table.pool is not None and address.lower() != table.pool.lower():
        raise UsageError(
            f"--market: {market.market} is of the pool {address}, but campaign {name} manages "
            f"{table.pool}; name the folder of that pool"
        )
    return market_path(found), toxic_periods(found)


def _age(settings: Settings, name: str, made: Calibration) -> str:
    """Until when it is used, as a sentence."""
    from lpmanager.cli.words import moment

    until = made.made_at + settings.campaigns[name].risk.max_calibration_age
    good = f"good until {moment(until)} (risk.max_calibration_age)"
    if until < wall_clock():
        return f"{name}: kept, but its newest data is too old for cycles of now: it was {good}"
    return f"{name}: kept; cycles use it while it is {good}"

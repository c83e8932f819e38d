"""`lpm backtest`: a policy on a recorded market, through the decisions of the live manager."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.campaigns import INTERRUPTED
from lpmanager.cli.extras import require_backtest
from lpmanager.cli.market_option import MarketOptions, OpenMarket, open_market
from lpmanager.cli.option_groups import spread
from lpmanager.cli.options import AsJson, HtmlPage
from lpmanager.cli.progress import progress_of
from lpmanager.cli.strategy_options import (
    Strategy,
    StrategyOptions,
    chains_of,
    own_chains,
    settings_of,
    strategy_of,
)
from lpmanager.errors import UsageError

if TYPE_CHECKING:
    from lpmanager.backtest.report.run import Run
    from lpmanager.settings import CampaignTable

Mode = Annotated[
    str,
    typer.Option(
        metavar="exact|fast",
        help="exact: every row through the live decisions. fast: a compiled policy in floats, "
        "which leaves some of them out and says which.",
    ),
]


@spread
def backtest(
    *,
    market: MarketOptions,
    strategy: StrategyOptions,
    mode: Mode = "exact",
    html: HtmlPage = None,
    as_json: AsJson = False,
) -> None:
    """Replay a recorded market, every row of it, with a campaign that decides as the live manager
    does.

    Its swaps and its liquidity move the pool, what it sends costs gas, and what it decides happens
    blocks later. The result is told term by term, against HODL, a full range and its own first
    ranges left alone. In fast mode a policy that has a compiled kernel is told in the same words,
    with how far that is from exact mode.
    """
    require_backtest()
    from lpmanager.backtest.report.findings import findings_of
    from lpmanager.backtest.report.page import page_of
    from lpmanager.backtest.report.run_json import run_json
    from lpmanager.cli.backtest_words import tell
    from lpmanager.cli.output import note, print_json
    from lpmanager.page import require_writable, write_page

    if mode not in _MODES:
        raise UsageError(f"--mode: expected exact or fast, found {mode!r}")
    if html is not None:
        require_writable(html)
    try:
        run = _MODES[mode](market, strategy)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    found = findings_of(run)
    if html is not None:
        write_page(html, page_of(found))
        note(f"wrote {html}")
    if as_json:
        print_json(run_json(found))
    else:
        tell(found)


def _exact_run(market_options: MarketOptions, strategy_options: StrategyOptions) -> Run:
    """Read the market, and replay it with the campaign that was told."""
    from lpmanager.backtest.replay.exact import backtest as replay
    from lpmanager.backtest.replay.reported_policy import ReportedPolicy
    from lpmanager.rebalancer import make_policy

    market, strategy = _opened(market_options, strategy_options)
    table = strategy.table
    policy = ReportedPolicy(name=table.policy, policy=make_policy(table.policy, table.options))
    limits = table.limits_for(market.chain, market.quote)
    rows = len(market.market.rows)
    with progress_of("replaying", "rows") as seen:
        run = replay(market.market, strategy.terms, policy, limits, lambda done: seen(done, rows))
    return replace(
        run, policy=_policy_text(table), notes=tuple(dict.fromkeys((*run.notes, *strategy.notes)))
    )


def _fast_run(market_options: MarketOptions, strategy_options: StrategyOptions) -> Run:
    """Read the market, and run the policy's kernel over it."""
    from lpmanager.backtest.fast.told.run import fast_run
    from lpmanager.backtest.sweep.problem import conditions_of
    from lpmanager.rebalancer import make_policy

    market, strategy = _opened(market_options, strategy_options)
    table = strategy.table
    limits = table.limits_for(market.chain, market.quote)
    conditions = conditions_of(market.market.pool, strategy.terms, limits.min_interval_s)
    policy = make_policy(table.policy, table.options)
    run = fast_run(market.market, policy, conditions, market.quote, limits.history_s)
    return replace(run, policy=_policy_text(table))


def _opened(
    market_options: MarketOptions, strategy_options: StrategyOptions
) -> tuple[OpenMarket, Strategy]:
    settings = settings_of(strategy_options)
    market = open_market(
        market_options, chains_of(settings), lambda: own_chains(strategy_options.config)
    )
    return market, strategy_of(strategy_options, settings, market)


_MODES: Mapping[str, Callable[[MarketOptions, StrategyOptions], Run]] = {
    "exact": _exact_run,
    "fast": _fast_run,
}


def _policy_text(table: CampaignTable) -> str:
    """The policy with its options, as they would be typed."""
    return " ".join([table.policy, *(f"{key}={value}" for key, value in table.options.items())])

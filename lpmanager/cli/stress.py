"""`lpm risk --stress`: what named scenarios make of the campaigns, each and together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.campaigns import chosen, dry, for_each
from lpmanager.cli.extras import require_quant
from lpmanager.errors import ConfigError

if TYPE_CHECKING:
    from lpmanager.cli.risk_market import MarketAsked, StrategyAsked
    from lpmanager.cli.stress_file import StressFile
    from lpmanager.rebalancer import View
    from lpmanager.risk.contagion.debts import Settlement
    from lpmanager.risk.contagion.stress import Moves, Struck, Together
    from lpmanager.risk.missing import Missing

StressPath = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Run the scenarios of a stress file (TOML) instead; docs/risk.md tells what it holds.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A scenario, and what it makes of each campaign, of all together, and of debts where the file
    has any."""

    name: str
    moves: Moves
    campaigns: Mapping[str, Struck | Missing]
    together: Together | Missing
    worst: str | None
    debts: Settlement | Missing | None


def run_stress(
    path: Path,
    market: MarketAsked,
    strategy: StrategyAsked,
    names: Sequence[str] | None,
    *,
    as_json: bool,
) -> None:
    """Run every scenario of the file, and show what each leaves.

    A campaign that cannot be read stops all of it: a part of a portfolio is not the portfolio.
    """
    from lpmanager.cli.stress_debts import require_debtors
    from lpmanager.cli.stress_file import read_stress_file, require_known
    from lpmanager.cli.stress_words import print_stress, stress_json
    from lpmanager.rebalancer.assessment.portfolio import token_symbols, whole

    file = read_stress_file(path)
    if file.volatilities:
        require_quant("numpy", "statsmodels")
    if file.debts:
        require_quant("numpy")
    views = (
        _of_campaigns(market, strategy, names)
        if market.market is None
        else _of_market(market, strategy, names)
    )
    require_known(file, path, token_symbols(views.values()))
    require_debtors(file, path, views)
    ran, together = run_scenarios(file, views), whole(views, file.issuers)
    if as_json:
        from lpmanager.cli.output import print_json

        print_json(stress_json(ran, views, together))
    else:
        print_stress(ran, views, together)


def _of_campaigns(
    market: MarketAsked, strategy: StrategyAsked, names: Sequence[str] | None
) -> Mapping[str, View]:
    from lpmanager.cli.options import load_settings
    from lpmanager.cli.risk_market import require_no_market
    from lpmanager.cycle import observe

    require_no_market(market, strategy)
    settings = load_settings(strategy.config)
    open_campaign = dry(settings)
    found = for_each(chosen(settings, names), lambda name: observe(open_campaign(name)))
    found.exit_if_failed()
    return found.done


def _of_market(
    market: MarketAsked, strategy: StrategyAsked, names: Sequence[str] | None
) -> Mapping[str, View]:
    from lpmanager.cli.output import note
    from lpmanager.cli.risk_market import end_of

    seen = end_of(market, strategy, names or ())
    for sentence in seen.notes:
        note(sentence)
    return {seen.name: seen.view}


def run_scenarios(file: StressFile, views: Mapping[str, View]) -> tuple[Ran, ...]:
    """Every scenario of a file whose tokens are known, in its order.

    Raises ConfigError where others cannot follow a scenario.
    """
    from lpmanager.rebalancer.assessment.portfolio import rates, token_symbols
    from lpmanager.risk.contagion.stress import following_moves, named_moves

    tokens, money_per_quote = token_symbols(views.values()), rates(views)
    dependence = file.dependence() if file.volatilities else None
    ran = []
    for name, named in file.scenarios.items():
        try:
            moves = (
                named_moves(named, tokens)
                if dependence is None
                else following_moves(named, dependence)
            )
        except ValueError as error:
            raise ConfigError(f"scenarios.{name}: {error}") from error
        ran.append(_run(name, file, moves, views, money_per_quote))
    return tuple(ran)


def _run(
    name: str,
    file: StressFile,
    moves: Moves,
    views: Mapping[str, View],
    money_per_quote: Mapping[str, float] | Missing,
) -> Ran:
    from lpmanager.cli.stress_debts import settled_debts
    from lpmanager.rebalancer.at_stake import stake_held
    from lpmanager.risk.contagion.stress import struck, together, worst
    from lpmanager.risk.missing import Missing

    campaigns = {}
    for campaign, view in views.items():
        price = view.snapshot.price
        campaigns[campaign] = struck(
            stake_held(view), moves.of[price.base.symbol], moves.of[price.quote.symbol]
        )
    return Ran(
        name=name,
        moves=moves,
        campaigns=campaigns,
        together=money_per_quote
        if isinstance(money_per_quote, Missing)
        else together(campaigns, money_per_quote),
        worst=worst(campaigns),
        debts=settled_debts(file, moves, campaigns, money_per_quote),
    )

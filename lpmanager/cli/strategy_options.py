"""What a backtest is told of the campaign: policy, limits, deposit, pace, and what gas costs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lpmanager.cli.deposit import budget_from, budgeted, first_price, split_down
from lpmanager.cli.gas_options import coins_for_down, gas_of, native_price_of, wrapped_coin
from lpmanager.cli.market_option import OpenMarket
from lpmanager.cli.option_texts import assignments, decimal, seconds
from lpmanager.cli.options import DEFAULT_CONFIG, load_settings
from lpmanager.errors import UsageError
from lpmanager.model import Amount

if TYPE_CHECKING:
    from lpmanager.backtest.replay.terms import Terms
    from lpmanager.chain.presets import Chain
    from lpmanager.model import Amounts, Price
    from lpmanager.risk.contagion.neighbours import Surroundings
    from lpmanager.settings import CampaignTable, Settings

PolicyName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help='fixed_width, passive, ... or your own, as "my_policies:Mine".'
    ),
]
PolicyOptions = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="An option of the policy; repeatable."),
]
LimitTexts = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="A limit, as in the configuration; repeatable."),
]
TargetWeight = Annotated[
    str | None,
    typer.Option(metavar="SHARE", help="Wanted value share of the token that is not the quote."),
]
CampaignName = Annotated[
    str | None,
    typer.Option("--campaign", help="Take policy, limits and budget of this one of --config."),
]
Config = Annotated[
    Path,
    typer.Option("--config", "-c", help="The file that --campaign is in, or a chain of your own."),
]
Budget = Annotated[
    str | None,
    typer.Option(metavar="AMOUNTS", help="What it starts with, as in 1000USDC,0.5WETH."),
]
Value = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT",
        help="Or: what that is worth in quote tokens, split at the first price.",
    ),
]
Every = Annotated[str, typer.Option(metavar="TIME", help="How often it decides.")]
Trigger = Annotated[
    int | None,
    typer.Option(
        "--trigger-ticks", min=1, help="Decide also once the price has moved so far, in ticks."
    ),
]
Latency = Annotated[
    int, typer.Option("--latency-blocks", min=0, help="From a decision until it is in a block.")
]
GasPrice = Annotated[
    str | None,
    typer.Option("--gas-gwei", metavar="GWEI", help="What a transaction pays; 0 leaves gas out."),
]
GasRecord = Annotated[
    Path | None,
    typer.Option(
        "--gas-prices",
        metavar="FILE",
        help="Or: what it paid at the time, a CSV of block_timestamp (UTC) and gas_price (gwei).",
    ),
]
NativePrice = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT", help="Quote tokens for a coin of the chain, where the pool has none."
    ),
]

_HALF = Fraction(1, 2)
#: Without a limit on what swaps, or gas, may cost a day: this share of the deposit.
_SPARE_A_DAY = Fraction(1, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyOptions:
    """A campaign in a person's words."""

    policy: PolicyName = None
    option: PolicyOptions = None
    limit: LimitTexts = None
    target_weight: TargetWeight = None
    campaign: CampaignName = None
    config: Config = DEFAULT_CONFIG
    budget: Budget = None
    value: Value = None
    every: Every = "1h"
    trigger_ticks: Trigger = None
    latency_blocks: Latency = 1
    gas_gwei: GasPrice = None
    gas_prices: GasRecord = None
    native_price: NativePrice = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A campaign to try on a market. `notes` say what was assumed where nothing was told."""

    table: CampaignTable
    terms: Terms
    notes: tuple[str, ...]


def settings_of(options: StrategyOptions) -> Settings | None:
    """The configuration, where a campaign of it is asked for. Policies of the user's own are found
    beside it, or else in the current folder."""
    if options.campaign is not None:
        return load_settings(options.config)
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return None


def chains_of(settings: Settings | None) -> Mapping[str, Chain]:
    """The chains that have a name: the presets, and those of the configuration."""
    from lpmanager.chain.presets import presets

    return presets() if settings is None else settings.known_chains()


def own_chains(config: Path) -> Mapping[str, Chain]:
    """The chains of that file, where there is one."""
    return load_settings(config).known_chains() if config.is_file() else {}


def strategy_of(
    options: StrategyOptions, settings: Settings | None, market: OpenMarket
) -> Strategy:
    """The campaign as the engine takes it. Raises UsageError for what is missing or wrong, and
    ConfigError for what is wrong in the configuration."""
    told = None if settings is None else _campaign(settings, str(options.campaign))
    price = first_price(market)
    deposit = _deposit(options, told, market, price)
    terms = _terms(options, market, deposit, _surroundings(settings))
    limits = {} if told is None else told.limits.model_dump()
    limits |= assignments("--limit", options.limit or (), "max_moves_per_day=6")
    spare = Amount(market.quote, round(_SPARE_A_DAY * price.value(deposit)))
    spared = {
        "max_swap_cost_per_day": str(spare.to_decimal()),
        "max_gas_per_day": str(coins_for_down(spare, terms, price)),
    }
    table = _table(options, told, market, {**spared, **limits})
    _require_no_calibration(table)
    return Strategy(
        table=table,
        terms=terms,
        notes=tuple(_assumed(table, limits, market)),
    )


def _assumed(table: CampaignTable, told: Mapping[str, object], market: OpenMarket) -> Iterator[str]:
    """The limits of money that nobody told, as sentences: they may hold a campaign back."""
    if "max_swap_cost_per_day" not in told:
        yield (
            f"Swaps may cost at most {table.limits.max_swap_cost_per_day} {market.quote.symbol} a "
            "day, a hundredth of the deposit: no --limit max_swap_cost_per_day says otherwise."
        )
    if "max_gas_per_day" not in told:
        yield (
            f"Gas may cost at most {table.limits.max_gas_per_day} "
            f"{market.chain.native_symbol} a day, a hundredth of the deposit at the first price: "
            "no --limit max_gas_per_day says otherwise."
        )


def _campaign(settings: Settings, name: str) -> CampaignTable:
    if name not in settings.campaigns:
        raise UsageError(
            f"--campaign: there is no {name!r}; the configuration has "
            f"{', '.join(settings.campaigns)}"
        )
    return settings.campaigns[name]


def _table(
    options: StrategyOptions,
    told: CampaignTable | None,
    market: OpenMarket,
    limits: Mapping[str, object],
) -> CampaignTable:
    """The campaign of the configuration with what was told on top of it, or a new one."""
    from pydantic import ValidationError

    from lpmanager.config_errors import explain
    from lpmanager.settings import CampaignTable

    policy = options.policy or (None if told is None else told.policy)
    if policy is None:
        raise UsageError("--policy: missing; name one, as in --policy fixed_width, or a --campaign")
    kept = told.options if told is not None and told.policy == policy else {}
    own = assignments("--option", options.option or (), "half_width_ticks=600")
    table: dict[str, Any] = {"pool": market.market.pool.address} if told is None else {}
    table |= {} if told is None else told.model_dump()
    table |= {
        "quote": market.quote.symbol,
        "policy": policy,
        "options": {**kept, **own},
        "limits": dict(limits),
    }
    if options.target_weight is not None:
        table["target_weight"] = options.target_weight
    try:
        return CampaignTable.model_validate(table)
    except ValidationError as error:
        mistakes = [_as_option(line) for line in explain(error, CampaignTable)]
        raise UsageError("\n".join(mistakes)) from error


def _require_no_calibration(table: CampaignTable) -> None:
    """A policy that only believes a calibration would hold to the end, for a reason that is not the
    market's."""
    from lpmanager.rebalancer.policies.volatility_width import CALIBRATED, REALISED

    if table.policy == "volatility_width" and table.options.get("forecast") == CALIBRATED:
        raise UsageError(
            f"--option forecast: {CALIBRATED!r} needs the calibration of a live campaign, which a "
            f"recorded market has none of; give --option forecast={REALISED}"
        )


def _surroundings(settings: Settings | None) -> Surroundings:
    from lpmanager.risk.contagion.neighbours import Surroundings

    if settings is None:
        return Surroundings()
    return Surroundings(issuers=settings.issuers, pegs=settings.known_pegs())


def _as_option(mistake: str) -> str:
    """A mistake of a campaign's table, in the words of the command line."""
    for key, option in (("limits.", "--limit "), ("target_weight", "--target-weight")):
        if mistake.startswith(key):
            return option + mistake.removeprefix(key)
    return mistake


def _terms(
    options: StrategyOptions, market: OpenMarket, deposit: Amounts, surroundings: Surroundings
) -> Terms:
    from lpmanager.backtest.replay.terms import Terms

    gas = gas_of(options.gas_gwei, options.gas_prices)
    return Terms(
        deposit=deposit,
        quote=market.quote,
        every_s=seconds("--every", options.every),
        trigger_ticks=options.trigger_ticks,
        latency_blocks=options.latency_blocks,
        block_s=market.chain.block_time_s,
        gas=gas,
        native=market.chain.native,
        native_price=native_price_of(options.native_price, market, gas),
        wrapped_native=wrapped_coin(market),
        surroundings=surroundings,
    )


def _deposit(
    options: StrategyOptions, told: CampaignTable | None, market: OpenMarket, price: Price
) -> Amounts:
    """What the campaign starts with: a budget, or a value split as the target weight says."""
    if options.budget is not None and options.value is not None:
        raise UsageError("give --budget or --value, not both")
    if options.value is not None:
        return split_down(market, options.value, _weight(options, told), price)
    if options.budget is not None:
        return budgeted(market.market.pool, budget_from(options.budget))
    if told is None or told.budget is None:
        raise UsageError(
            "--value: missing; say what the campaign starts with, as in --value 10000 or --budget "
            "1000USDC,0.5WETH"
        )
    return budgeted(market.market.pool, told.budget)


def _weight(options: StrategyOptions, told: CampaignTable | None) -> Fraction:
    if options.target_weight is not None:
        return Fraction(decimal("--target-weight", options.target_weight))
    return _HALF if told is None else told.target_weight

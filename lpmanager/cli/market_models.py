"""`lpm risk --market`: models of the market, where its history is long enough for them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lpmanager.cli.heston_words import heston_json, heston_table
from lpmanager.model.units import HOUR_S
from lpmanager.risk.missing import Missing

if TYPE_CHECKING:
    from lpmanager.backtest.markets.market import Market
    from lpmanager.model import Token
    from lpmanager.risk.heston.moments import HestonMoments
    from lpmanager.risk.learned.toxic_share import ToxicityContest
    from lpmanager.risk.price_path import PricePath


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketModels:
    """Heston's model by the moments of hourly variances, as of the end of the market (Unix
    seconds), and the contest for the toxic share of the next hour."""

    heston: HestonMoments | Missing
    as_of: int
    toxicity: ToxicityContest | Missing


def models_of(market: Market, path: PricePath, quote: Token) -> MarketModels:
    """What can be told of a market and of its price: Heston's of the price in `quote`, as stakes
    are told, for a fall of the one token is a rise of the other."""
    from lpmanager.risk.heston.moments import heston_from_moments
    from lpmanager.risk.volatility.periods import periods_of
    from lpmanager.risk.volatility.realised import STEP_S

    price = path.quoted_in(quote, market.pool)
    hours = periods_of(price, period_s=HOUR_S, step_s=STEP_S)
    return MarketModels(
        heston=hours if isinstance(hours, Missing) else heston_from_moments(hours),
        as_of=path.times[-1],
        toxicity=_toxicity(market),
    )


def print_models(found: MarketModels) -> None:
    """For a person: the lines of Heston's model are to be pasted into lpmanager.toml."""
    from lpmanager.cli.output import console

    out = console()
    if isinstance(found.heston, Missing):
        out.print(f"Heston's model? unknown: {found.heston.reason}", markup=False)
    else:
        out.print(
            f"Heston's model, by the variances of {found.heston.periods} hours:", markup=False
        )
        out.print(heston_table(found.heston.model, found.as_of), markup=False)
    out.print(_toxicity_words(found.toxicity), markup=False)


def models_json(found: MarketModels) -> dict[str, Any]:
    """The same for programs: `missing` says why there is none."""
    return {"heston": _heston_json(found), "toxicity": _toxicity_json(found.toxicity)}


def _toxicity(market: Market) -> ToxicityContest | Missing:
    if find_spec("sklearn") is None:
        return Missing("learned toxicity needs sklearn: pip install 'lpmanager[ml]'")
    from lpmanager.backtest.markets.toxic_flow import toxic_periods
    from lpmanager.risk.learned.toxicity import toxicity_contest

    periods = toxic_periods(market)
    return periods if isinstance(periods, Missing) else toxicity_contest(periods)


def _toxicity_words(found: ToxicityContest | Missing) -> str:
    asked = "How toxic is the next hour?"
    if isinstance(found, Missing):
        return f"{asked} unknown: {found.reason}"
    verdict = "is believed" if found.learned_wins else "is not believed"
    return (
        f"{asked} {found.share_believed:.1%} of the volume. What is learned {verdict}: over "
        f"{found.scored} hours that it had not seen its mean squared error is {found.learned:.4f}, "
        f"that of the fading mean {found.ewma:.4f}."
    )


def _heston_json(found: MarketModels) -> dict[str, Any]:
    if isinstance(found.heston, Missing):
        return {"missing": found.heston.reason}
    told = heston_json(found.heston.model, found.as_of)
    return {
        "missing": None,
        **told,
        "hours": found.heston.periods,
        "correlation_found": found.heston.correlation_found,
    }


def _toxicity_json(found: ToxicityContest | Missing) -> dict[str, Any]:
    if isinstance(found, Missing):
        return {"missing": found.reason}
    return {
        "missing": None,
        "next_hour": found.share_believed,
        "used": "learned" if found.learned_wins else "fading mean",
        "hours": found.scored,
        "mean_squared_error": {"learned": found.learned, "fading mean": found.ewma},
    }

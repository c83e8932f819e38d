"""`lpm risk --option-chain`: Heston's model fitted to a file of option quotes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lpmanager.cli.extras import require_quant
from lpmanager.cli.option_texts import decimal, time_of
from lpmanager.errors import MarketDataError, UsageError
from lpmanager.model.units import DAY_S

if TYPE_CHECKING:
    from lpmanager.risk.heston.calibration import HestonFit
    from lpmanager.risk.heston.chain import Terms
    from lpmanager.risk.lookback_option import Hindsight
    from lpmanager.risk.missing import Missing

ChainFile = Annotated[
    Path | None,
    typer.Option(
        "--option-chain",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Fit Heston's model to this option chain (CSV) instead, and print the lines for "
        "lpmanager.toml; docs/risk.md tells the columns.",
    ),
]
Spot = Annotated[
    str | None,
    typer.Option(metavar="PRICE", help="With --option-chain: the price of what it is on."),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="With --option-chain: when its quotes were made (UTC); of a date, its end.",
    ),
]
Rate = Annotated[
    str | None,
    typer.Option(
        metavar="RATE", help="With --option-chain: interest a year, as a fraction. [default: 0]"
    ),
]
#: So many of the rows that were not used are told one by one; --json has them all.
_MOST_DROPPED = 10
#: So far ahead perfect hindsight is priced.
_HINDSIGHT_DAYS = 30
#: The first second of 2100; no quotes are from then on.
_END_OF_DAYS = 4_102_444_800


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainAsked:
    """An option chain in a person's words, where one is named."""

    option_chain: ChainFile = None
    spot: Spot = None
    as_of: AsOf = None
    rate: Rate = None


def require_no_chain(asked: ChainAsked) -> None:
    """Raise UsageError where something was told of an option chain, but no chain."""
    told = {"--spot": asked.spot, "--as-of": asked.as_of, "--rate": asked.rate}
    named = [option for option, text in told.items() if text is not None]
    if asked.option_chain is None and named:
        raise UsageError(f"--option-chain: missing; {', '.join(named)} is about one")


def run_option_chain(asked: ChainAsked, *, as_json: bool) -> None:
    """Fit the model, and print it with how well it fits.

    Raises UsageError for what is missing, LpmError without QuantLib, MarketDataError for a file
    that is no option chain or that nothing can be fitted to.
    """
    from lpmanager.cli.output import print_json

    if asked.option_chain is None:
        raise ValueError("no option chain is named")
    terms, at = _terms(asked)
    require_quant("QuantLib")
    began = perf_counter()
    fit = _fitted(asked.option_chain, terms)
    seconds = perf_counter() - began
    hindsight = _hindsight(fit, terms)
    if as_json:
        print_json({**_json(fit, at, seconds), "hindsight": _hindsight_json(hindsight)})
    else:
        _print(fit, at, asked.option_chain.name, seconds)
        _print_hindsight(hindsight, terms)


def _terms(asked: ChainAsked) -> tuple[Terms, int]:
    """What holds for the chain, and when its quotes were made in Unix seconds."""
    from lpmanager.risk.heston.chain import Terms

    if asked.spot is None or asked.as_of is None:
        raise UsageError(
            "--option-chain: give --spot, the price of what the options are on, and --as-of, when "
            'the quotes were made ("2024-06-28 14:30", or 2024-06-28 for the end of that day)'
        )
    spot = decimal("--spot", asked.spot)
    if spot == 0:
        raise UsageError("--spot: expected more than 0, found 0")
    day, at = _quoted(asked.as_of)
    return Terms(as_of=day, spot=float(spot), rate=_rate(asked.rate)), at


def _rate(text: str | None) -> float:
    from lpmanager.risk.heston.chain import HIGHEST_RATE

    if text is None:
        return 0.0
    rate = decimal("--rate", text)
    if rate > HIGHEST_RATE:
        raise UsageError(f"--rate: {text} is {rate:.0%} a year; is it in percent? 5% is 0.05")
    return float(rate)


def _quoted(as_of: str) -> tuple[date, int]:
    """The day that expiries are counted from, and when the quotes were made: of a date, its end."""
    try:
        begins = datetime.combine(date.fromisoformat(as_of), time(), UTC)
    except ValueError:
        at = last = time_of("--as-of", as_of)
    else:
        at = int(begins.timestamp()) + DAY_S
        last = at - 1
    if not 0 <= last < _END_OF_DAYS:
        raise UsageError(f"--as-of: expected a day from 1970 to 2099, found {as_of}")
    return datetime.fromtimestamp(last, UTC).date(), at


def _fitted(path: Path, terms: Terms) -> HestonFit:
    from lpmanager.risk.heston.calibration import calibrated
    from lpmanager.risk.heston.chain import read_chain
    from lpmanager.risk.missing import Missing

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MarketDataError(f"{path}: cannot be read as text: {error}") from error
    fit = calibrated(read_chain(lines, terms, str(path)))
    if isinstance(fit, Missing):
        raise MarketDataError(f"{path}: {fit.reason}")
    return fit


def _hindsight(fit: HestonFit, terms: Terms) -> Hindsight | Missing:
    from lpmanager.risk.lookback_option import hindsight_by

    return hindsight_by(fit.model, rate=terms.rate, days=_HINDSIGHT_DAYS)


def _print(fit: HestonFit, at: int, name: str, seconds: float) -> None:
    from lpmanager.cli.heston_words import heston_table
    from lpmanager.cli.output import console, note

    console().print(heston_table(fit.model, at), markup=False)
    note(
        f"Heston's model fitted to {fit.quotes} quotes of {name} in {seconds:.2f} s: off by "
        f"{fit.rms_error:.2%} of volatility a year (root mean square). The variance "
        f"{'stays above 0' if fit.feller else 'touches 0 at times'}."
    )
    for dropped in fit.dropped[:_MOST_DROPPED]:
        note(f"Line {dropped.line} is left out: {dropped.reason}.")
    if len(fit.dropped) > _MOST_DROPPED:
        note(f"So are {len(fit.dropped) - _MOST_DROPPED} more: --json tells why.")


def _json(fit: HestonFit, at: int, seconds: float) -> dict[str, Any]:
    from lpmanager.cli.heston_words import heston_json

    return {
        "heston": heston_json(fit.model, at),
        "quotes": fit.quotes,
        "rms_error": fit.rms_error,
        "rms_error_unit": "volatility a year",
        "stays_above_0": fit.feller,
        "seconds": seconds,
        "dropped": [{"line": each.line, "reason": each.reason} for each in fit.dropped],
    }


def _print_hindsight(found: Hindsight | Missing, terms: Terms) -> None:
    from lpmanager.cli.output import note
    from lpmanager.risk.missing import Missing

    asked = f"Perfect hindsight of the next {_HINDSIGHT_DAYS} days"
    if isinstance(found, Missing):
        return note(f"{asked}: unknown, {found.reason}.")
    note(
        f"{asked} is worth {found.worth:.2%} of the price, at the model's mean volatility of "
        f"{found.volatility:.1%} a year and {terms.rate:.2%} interest; without interest "
        f"{found.worth_without_interest:.2%}."
    )


def _hindsight_json(found: Hindsight | Missing) -> dict[str, Any]:
    from lpmanager.risk.missing import Missing

    if isinstance(found, Missing):
        return {"missing": found.reason}
    return {
        "missing": None,
        "seconds": found.seconds,
        "volatility": found.volatility,
        "worth": found.worth,
        "worth_without_interest": found.worth_without_interest,
        "unit": "of the price",
    }

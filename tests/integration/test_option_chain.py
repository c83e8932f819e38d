"""`lpm risk --option-chain`: from a file of quotes to the lines of a configuration."""

from __future__ import annotations

import json
import math
import tomllib
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from typed_here import Ended, typed_here

from lpmanager.cli.heston_words import heston_table
from lpmanager.risk.heston.model import YearlyHeston
from lpmanager.settings import HestonTable

DAY = date(2024, 1, 5)
TOLD = ("--option-chain", "chain.csv", "--spot", "2250", "--as-of", DAY.isoformat())
#: What the quotes below are priced with.
MODEL = YearlyHeston(v0=0.36, theta=0.49, kappa=2.0, sigma=0.8, rho=-0.3)


def lpm(folder: Path, *words: str) -> Ended:
    return typed_here(folder, "risk", *words)


@pytest.fixture(scope="module")
def quotes() -> list[str]:
    """Volatilities that the model gives, of four expiries and seven strikes."""
    import QuantLib as ql

    rows = ["expiry,strike,type,volatility"]
    with ql.SavedSettings():
        today = ql.Date(DAY.day, DAY.month, DAY.year)
        ql.Settings.instance().evaluationDate = today
        flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, ql.Actual365Fixed()))
        spot = ql.QuoteHandle(ql.SimpleQuote(2250.0))
        terms = (MODEL.v0, MODEL.kappa, MODEL.theta, MODEL.sigma, MODEL.rho)
        model = ql.HestonModel(ql.HestonProcess(flat, flat, spot, *terms))
        surface = ql.HestonBlackVolSurface(ql.HestonModelHandle(model))
        for days in (28, 56, 140, 280):
            for moneyness in (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4):
                strike = 2250 * moneyness
                volatility = surface.blackVol(days / 365, strike, True)
                rows.append(f"{DAY + timedelta(days)},{strike},call,{volatility}")
    return rows


@pytest.fixture
def folder(tmp_path: Path, quotes: list[str]) -> Path:
    (tmp_path / "chain.csv").write_text("\n".join([*quotes, f"{DAY},2250,call,0.6"]) + "\n")
    return tmp_path


def test_the_printed_lines_are_those_of_a_configuration(folder: Path) -> None:
    ended = lpm(folder, *TOLD)
    assert ended.code == 0, ended.err
    (table,) = tomllib.loads(ended.out)["campaigns"].values()
    given = HestonTable.model_validate(table["risk"]["heston"]).given
    assert given.fitted_at == 1_704_412_800 + 86_400  # a date: its end
    assert math.sqrt(given.model.start * 365) == pytest.approx(0.6, abs=0.005)
    assert given.model.correlation == pytest.approx(-0.3, abs=0.02)
    told = " ".join(ended.err.split())
    assert "fitted to 28 quotes of chain.csv in " in told
    assert "Line 30 is left out: expires in 0 days" in told
    assert "Perfect hindsight of the next 30 days is worth 2" in told
    assert "and 0.00% interest; without interest" in told


def test_quotes_of_an_hour_are_of_that_hour(folder: Path) -> None:
    """Their expiries are as many days ahead; and they can be used on the same day."""
    whole = json.loads(lpm(folder, *TOLD, "--json").out)["heston"]
    told = json.loads(lpm(folder, *TOLD[:5], "2024-01-05 14:30", "--json").out)["heston"]
    assert told == {**whole, "as_of": "2024-01-05T14:30:00Z"}


def test_programs_are_told_the_fit_its_error_and_its_time(folder: Path) -> None:
    ended = lpm(folder, *TOLD, "--json")
    assert (ended.code, ended.err) == (0, "")
    told = json.loads(ended.out)
    assert told["heston"]["theta"] == pytest.approx(0.49, rel=0.05)
    assert told["heston"]["as_of"] == "2024-01-06T00:00:00Z"
    assert told["rms_error"] < 1e-3
    assert told["seconds"] > 0
    assert [each["line"] for each in told["dropped"]] == [30]
    known = told["hindsight"]
    assert (known["missing"], known["seconds"], known["unit"]) == (None, 2_592_000, "of the price")
    assert known["volatility"] == pytest.approx(0.605, abs=0.01)
    assert known["worth"] == pytest.approx(known["worth_without_interest"])
    assert known["worth"] == pytest.approx(1.6 * 0.605 * math.sqrt(30 / 365), rel=0.02)


def test_the_interest_of_the_chain_is_in_the_price_of_hindsight(folder: Path) -> None:
    ended = lpm(folder, *TOLD, "--rate", "0.2", "--json")
    known = json.loads(ended.out)["hindsight"]
    assert known["worth"] != pytest.approx(known["worth_without_interest"], rel=1e-4)


def test_what_is_pasted_is_the_model_to_six_digits() -> None:
    at = datetime(2024, 1, 5, 14, 30, tzinfo=UTC)
    text = heston_table(MODEL.daily, int(at.timestamp()))
    (table,) = tomllib.loads(text)["campaigns"].values()
    read = HestonTable.model_validate(table["risk"]["heston"])
    assert (read.v0, read.rho, read.as_of) == (Fraction("0.36"), Fraction("-0.3"), at)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (TOLD[:4], "--as-of"),
        ((*TOLD[:5], "5 January"), "expected a date such as"),
        ((*TOLD[:3], "0", *TOLD[4:]), "--spot: expected more than 0"),
        (("--spot", "2250"), "--option-chain: missing; --spot is about one"),
        ((*TOLD, "--html", "page.html"), "is asked alone"),
        (("--option-chain", "none.csv"), "none.csv"),
        ((*TOLD[:3], "1e400", *TOLD[4:]), "--spot: '1e400': a number that is not 0 is between"),
        ((*TOLD[:3], "1e-400", *TOLD[4:]), "--spot: '1e-400': a number that is not 0 is between"),
        ((*TOLD[:5], "1850-01-05"), "--as-of: expected a day from 1970 to 2099, found 1850-01-05"),
        ((*TOLD[:5], "9999-12-31"), "--as-of: expected a day from 1970 to 2099, found 9999-12-31"),
        ((*TOLD[:5], "9999-12-31 23:59"), "--as-of: expected a day from 1970 to 2099"),
        ((*TOLD[:5], "99999999999999"), "--as-of: expected a day from 1970 to 2099"),
        ((*TOLD[:5], "9" * 5_000), "expected a date such as"),
        ((*TOLD, "--rate", "5"), "--rate: 5 is 500% a year; is it in percent? 5% is 0.05"),
        ((*TOLD, "--rate", "1e6"), "--rate: 1e6 is 100000000% a year; is it in percent?"),
        ((*TOLD, "--rate", "1e400"), "--rate: '1e400': a number that is not 0 is between"),
    ],
)
def test_what_is_missing_or_wrong_is_named(folder: Path, words: tuple[str, ...], said: str) -> None:
    ended = lpm(folder, *words)
    assert ended.code not in (0, None)
    assert said in " ".join(ended.err.split())


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"{DAY + timedelta(56)},2250,call,0.6,5", "a rate of 5 a year; is it in percent?"),
        (f"{DAY + timedelta(56)},2250,call,0.6,100000", "a rate of 100000 a year"),
        (f"{DAY + timedelta(56)},2250,call,0.6,-100000", "a rate of -100000 a year"),
        ("2500-04-05,2300,call,0.6,", "expires in 173946 days; it must be 3650 or less"),
        ("9999-04-05,2300,call,0.6,", "it must be 3650 or less"),
        (f"{DAY + timedelta(56)},1e-320,put,0.6,", "of the forward beyond what it gains at once"),
        (f"{DAY + timedelta(56)},1e308,call,0.6,", "of the forward beyond what it gains at once"),
        (f"{DAY + timedelta(56)},2250,call,1e-300,", "of the forward beyond what it gains at once"),
        (f"{DAY + timedelta(56)},23000,call,0.6,", "of the forward beyond what it gains at once"),
    ],
)
def test_one_row_that_cannot_be_leaves_the_fit_of_the_others(
    folder: Path, quotes: list[str], row: str, said: str
) -> None:
    clean = json.loads(lpm(folder, *TOLD, "--json").out)
    rows = [f"{quotes[0]},rate", *(f"{each}," for each in quotes[1:]), row]
    (folder / "chain.csv").write_text("\n".join(rows) + "\n")
    ended = lpm(folder, *TOLD, "--json")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    (dropped,) = told["dropped"]
    assert dropped["line"] == 30
    assert said in dropped["reason"]
    assert told["heston"] == clean["heston"]


def test_a_chain_that_tells_too_little_says_what_a_fit_needs(folder: Path) -> None:
    (folder / "chain.csv").write_text("expiry,strike,type,volatility\n2024-03-05,2250,call,0.6\n")
    ended = lpm(folder, *TOLD)
    assert ended.code == 1
    assert "a Heston fit needs 10 quotes of 2 expiries, found 1 of 1" in " ".join(ended.err.split())

"""Gates as a person reads them in a terminal of 80 columns."""

from __future__ import annotations

import pytest
from builders import NATIVE_COIN, a_limits, a_market, a_record, a_view, an_outlook

from lpmanager.cli.decisions import print_gates
from lpmanager.model import Amount, Gate
from lpmanager.rebalancer import decide
from lpmanager.rebalancer.policies import FixedWidth

STALE = (
    "Markov switching between two regimes, as calibrated: the calibration is stale: it is of "
    "2024-01-05 12:00 UTC, 1 d 1 s ago, and risk.max_calibration_age allows 1 d; run "
    "`lpm calibrate`"
)
HEAD = Gate(name="head age", passed=True, measured="0 s", limit="36 s", reason="of the clock")
REGIME = Gate(name="regime", passed=False, measured="unknown", limit="known", reason=STALE)


@pytest.fixture(autouse=True)
def _a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def printed(capsys: pytest.CaptureFixture[str], *gates: Gate) -> str:
    print_gates("main: gates", gates)
    return capsys.readouterr().out


def test_gates_that_are_open_need_no_more_words(capsys: pytest.CaptureFixture[str]) -> None:
    told = [line.split() for line in printed(capsys, HEAD).splitlines()]
    assert ["gate", "is", "measured", "limit"] in told
    assert told[3:] == [["head", "age", "open", "0", "s", "36", "s"], []]


def test_why_a_gate_is_closed_has_the_whole_width(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, HEAD, REGIME).splitlines()
    at = next(place for place, line in enumerate(told) if line.startswith("regime is closed: "))
    words = [line for line in told[at:] if line]
    assert " ".join(line.strip() for line in words) == f"regime is closed: {STALE}"
    assert len(words) <= 4


def test_no_number_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    """Gas in a coin of 18 decimals, beside a gate that has much to say."""
    view = a_view(a_market(native=10**24), a_record((10**13, 10**13)), an_outlook())
    gas = Amount(NATIVE_COIN, 123_456_789_012_345_678)
    limits = a_limits(max_gas_per_day_raw=gas.raw, payback_horizon_s=86_400)
    plan = decide("mine", view, FixedWidth(half_width_ticks=600), limits)
    told = printed(capsys, *plan.gates, REGIME).split()
    assert "0.123456789012345678" in told
    assert "1,000,000" in told

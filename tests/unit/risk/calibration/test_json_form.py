"""A calibration as it is kept: the same when it is read, and refused where it cannot be one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from calibration_builders import a_calibration, a_toxic_hour

from lpmanager.risk.calibration.calibration import NOT_LEARNED
from lpmanager.risk.calibration.json_form import calibration_from_json, calibration_to_json
from lpmanager.risk.calibration.rules import Ewma, Rule
from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.garch_model import Garch
from lpmanager.risk.volatility.har_model import Har

HAR = Har(horizons=(1, 24), constant=-1.5, weights=(0.1, 0.7), noise=0.3, lowest=1e-9, highest=1e-2)
GARCH = Garch(mean=1e-5, constant=1e-7, shock=0.1, persistence=0.85, freedom=5.5, start=1e-6)
MADE_AT = 1_700_000_000


@pytest.mark.parametrize("rule", [Ewma(decay=0.94), HAR, GARCH])
def test_what_was_written_is_read_to_the_last_bit(rule: Rule) -> None:
    whole = a_calibration(
        MADE_AT, rule=rule, rate=1e-9 / 3, learned_rate=0.1, last_change=MADE_AT - 7
    )
    missing = Missing("it needs more")
    for one in (
        whole,
        replace(whole, volatility=missing),
        replace(whole, regimes=missing, last_change=missing),
        replace(whole, last_change=None),
        replace(whole, toxicity=a_toxic_hour(MADE_AT, 1 / 3)),
    ):
        assert calibration_from_json(calibration_to_json(one)) == one


def test_one_that_was_kept_before_toxic_flow_was_learned_is_read_without_it() -> None:
    older = json.loads(calibration_to_json(a_calibration(MADE_AT)))
    del older["calibration"]["toxicity"], older["calibration"]["changes_sought_s"]
    read = calibration_from_json(json.dumps(older))
    assert (read.toxicity, read.changes_sought_s) == (NOT_LEARNED, NOT_LEARNED)


def damaged(*path: str | int, value: object) -> str:
    """A good calibration but for one field."""
    good = a_calibration(MADE_AT, rule=HAR, toxicity=a_toxic_hour(MADE_AT, 0.8))
    whole: dict[str, Any] = json.loads(calibration_to_json(good))
    part: Any = whole["calibration"]
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "the whole"),
        ("null", "the whole"),
        ("{}", "version"),
        (calibration_to_json(a_calibration(MADE_AT))[:-9], "the whole"),
        (calibration_to_json(a_calibration(MADE_AT)).replace('n":1', 'n":2'), "version"),
        (damaged("made_at", value=-1), "calibration: .*1970"),
        (damaged("made_at", value="now"), "made_at"),
        (damaged("made_at", value=1.7e9), "made_at"),
        (damaged("last_change", value=MADE_AT + 1), "not before the calibration"),
        (damaged("volatility", "scores", value=[]), "no score"),
        (damaged("volatility", "learned_rate", value=0), "variance rate must be above 0"),
        (damaged("volatility", "learned_rate", value=float("nan")), "variance rate"),
        (damaged("volatility", "recent", "variances", 3, value=-1e-6), "realised variance"),
        (damaged("volatility", "recent", "returns", value=[]), "0 returns, but 200 variances"),
        (damaged("volatility", "rule", "weights", value=[1.0]), "2 horizons, but 1 weights"),
        (damaged("volatility", "rule", "horizons", value=[0, 24]), "at least one period"),
        (damaged("volatility", "rule", "horizons", value=[1, 999]), "looks back 999 periods"),
        (damaged("volatility", "rule", "lowest", value=0), "bounds above 0"),
        (damaged("volatility", "rule", "constant", value=float("inf")), "not a finite number"),
        (damaged("volatility", "rule", value={"decay": 1.5}), "decay must be between"),
        (damaged("volatility", "rule", value={}), "rule"),
        (damaged("toxicity", "begins", value=MADE_AT + 1), "after the calibration"),
        (damaged("toxicity", "begins", value=-1), "begins after 1970"),
        (damaged("toxicity", "period_s", value=0), "at least 1 s"),
        (damaged("toxicity", "contest", "scored", value=0), "at least 1 period"),
        (damaged("toxicity", "contest", "next_share", value=1.1), "toxic share of shares is in"),
        (damaged("toxicity", "contest", "next_faded", value=float("nan")), "toxic share"),
        (damaged("toxicity", "contest", "learned", value=-0.1), "mean squared error"),
        (damaged("toxicity", "contest", "ewma", value=float("inf")), "mean squared error"),
        (damaged("regimes", "turbulent", value=1.1), "between 0 and 1"),
        (damaged("regimes", "step_s", value=0), "at least 1 s"),
        (damaged("regimes", "model", "calm_stays", value=1), "chance to stay"),
        (damaged("regimes", "model", "calm_variance", value=1), "the calm one first"),
    ],
)
def test_what_cannot_be_a_calibration_is_refused_by_its_field(text: str, place: str) -> None:
    with pytest.raises(ValueError, match=place) as refused:
        calibration_from_json(text)
    assert "\n" not in str(refused.value)

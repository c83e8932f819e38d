"""What is said of a market's models."""

from __future__ import annotations

import tomllib

import pytest

from lpmanager.cli.market_models import MarketModels, models_json, print_models
from lpmanager.risk.heston.model import YearlyHeston
from lpmanager.risk.heston.moments import HestonMoments
from lpmanager.risk.learned.toxic_share import ToxicityContest
from lpmanager.risk.missing import Missing
from lpmanager.settings import HestonTable

MODEL = YearlyHeston(v0=0.5, theta=0.75, kappa=400.0, sigma=12.0, rho=-0.25)
KNOWN = MarketModels(
    heston=HestonMoments(model=MODEL.daily, correlation_found=-0.25, periods=839),
    as_of=1_661_175_000,
    toxicity=ToxicityContest(learned=0.09, ewma=0.08, scored=400, next_share=0.7, next_faded=0.45),
)
UNKNOWN = MarketModels(
    heston=Missing("too few hours"), as_of=1_661_175_000, toxicity=Missing("only bars")
)


def test_programs_are_told_what_is_believed_and_what_it_scored() -> None:
    told = models_json(KNOWN)
    assert (told["heston"]["rho"], told["heston"]["as_of"]) == (-0.25, "2022-08-22T13:30:00Z")
    assert told["toxicity"]["used"] == "fading mean"
    assert told["toxicity"]["next_hour"] == 0.45
    assert told["toxicity"]["mean_squared_error"] == {"learned": 0.09, "fading mean": 0.08}
    missing = models_json(UNKNOWN)
    assert missing["heston"] == {"missing": "too few hours"}
    assert missing["toxicity"] == {"missing": "only bars"}


def test_people_get_lines_to_paste_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    print_models(KNOWN)
    out = capsys.readouterr().out
    lines = out[out.index("[campaigns") : out.index("How toxic")]
    pasted = tomllib.loads(lines)["campaigns"]["NAME"]["risk"]["heston"]
    assert pasted["kappa"] == "400"
    # a backtest of the same day does not know the model before the row that it ends with
    assert HestonTable.model_validate(pasted).given.fitted_at == KNOWN.as_of
    told = " ".join(out.split())
    assert "by the variances of 839 hours" in told
    assert "45.0% of the volume. What is learned is not believed: over 400 hours" in told
    print_models(UNKNOWN)
    told = " ".join(capsys.readouterr().out.split())
    assert "Heston's model? unknown: too few hours" in told
    assert "How toxic is the next hour? unknown: only bars" in told

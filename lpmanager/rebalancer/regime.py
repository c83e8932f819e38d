"""The regime of the market: what changes limits and new ranges, and what a gate asks to know."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.model import Gate
from lpmanager.model.units import duration
from lpmanager.rebalancer.judging import Asked, judged, pause_gate
from lpmanager.rebalancer.view import View
from lpmanager.risk.appetite import Appetite, RegimesBy
from lpmanager.risk.calibration.live import age_words, turbulence_at
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import returns_of
from lpmanager.risk.regimes.hysteresis import Regime, regime_now
from lpmanager.risk.regimes.noticed_changes import WARM_UP, changes_as_noticed
from lpmanager.risk.search import Search
from lpmanager.risk.volatility.realised import STEP_S

#: Chances of turbulence, of two regimes: below the first it is calm, above the second turbulent.
CALM_BELOW, TURBULENT_ABOVE = 1 / 3, 2 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRegime:
    """The regime, and what it was told by, in words."""

    regime: Regime
    measured: str


def regime_of(view: View, appetite: Appetite) -> KnownRegime | Missing:
    """The regime as the appetite wants it told."""
    return _by_ewma(view) if appetite.regimes_by is RegimesBy.EWMA else by_markov(view)


def by_markov(view: View) -> KnownRegime | Missing:
    """By the filtered chance of the turbulent one of two regimes, as they were calibrated."""
    calibration = view.calibration
    if isinstance(calibration, Missing):
        return calibration
    chance = turbulence_at(calibration, view.snapshot)
    if isinstance(chance, Missing):
        return chance
    regime = Regime.CALM if chance < CALM_BELOW else Regime.USUAL
    return KnownRegime(
        regime=Regime.TURBULENT if chance > TURBULENT_ABOVE else regime,
        measured=f"turbulent with a chance of {chance:.1%}, "
        f"{age_words(calibration, view.snapshot)}",
    )


def turbulence_of(view: View) -> float | Missing:
    """The chance that the market is turbulent, by the campaign's calibration."""
    calibration = view.calibration
    if isinstance(calibration, Missing):
        return calibration
    return turbulence_at(calibration, view.snapshot)


def change_of(view: View) -> Search | Missing:
    """How long ago volatility last became another.

    Of the time before the calibration by what that found, which saw in hindsight what began when;
    of the time after it, or of all where it cannot tell, by what was noticed in the flow.
    """
    calibration, found = view.calibration, _calibrated_change(view)
    noticed = _noticed_change(view)
    if isinstance(calibration, Missing) or isinstance(found, Missing):
        if isinstance(found, Missing) and isinstance(noticed, Missing):
            return Missing(f"{found.reason}, and {noticed.reason}")
        return noticed
    age = view.snapshot.block.timestamp - calibration.made_at
    if age < STEP_S:
        return found
    if isinstance(noticed, Missing):
        return Missing(
            f"nothing tells of the {duration(age)} since the calibration: {noticed.reason}"
        )
    none_since = noticed.last_s is None or noticed.last_s >= age
    return found if none_since and noticed.within_s >= age else noticed


def _calibrated_change(view: View) -> Search | Missing:
    calibration = view.calibration
    if isinstance(calibration, Missing):
        return calibration
    at, sought_s = calibration.last_change, calibration.changes_sought_s
    if isinstance(at, Missing):
        return at
    if isinstance(sought_s, Missing):
        return sought_s
    now = view.snapshot.block.timestamp
    back_s = now - calibration.made_at + sought_s
    return Search(last_s=None if at is None else now - at, within_s=back_s, history_s=back_s)


def _noticed_change(view: View) -> Search | Missing:
    """How long ago a change of volatility had become plain in the snapshot's flow."""
    returns = returns_of(view.snapshot, STEP_S)
    if isinstance(returns, Missing):
        return returns
    places = changes_as_noticed(returns, STEP_S)
    if isinstance(places, Missing):
        return places
    return Search(
        last_s=(len(returns) - 1 - places[-1]) * STEP_S if places else None,
        within_s=(len(returns) - WARM_UP) * STEP_S,
        history_s=len(returns) * STEP_S,
    )


def regime_gates(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    """Open in every regime that is known: what it changes is in the target and the limits."""
    if not appetite.regimes:
        return ()
    meaning = {
        RegimesBy.EWMA: "recent volatility over that of the whole history",
        RegimesBy.MARKOV: "Markov switching between two regimes, as calibrated",
    }
    asked = Asked("regime", "known", meaning[appetite.regimes_by])

    def judge(found: KnownRegime) -> tuple[bool, str]:
        return True, f"{found.regime} ({found.measured})"

    return judged(asked, regime_of(view, appetite), judge, appetite)


def change_gates(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    """A while after volatility became another one, what was measured before it says little."""
    pause = appetite.pause_after_change_s
    if pause is None:
        return ()
    asked = Asked("change", f"{pause} s", "time since volatility last became another")
    since, found = change_of(view), _calibrated_change(view)
    tells_none = isinstance(since, Missing) or since.last_s is None
    recently = isinstance(found, Search) and found.last_s is not None and found.last_s < pause
    # what was recent enough pauses, whatever came after it
    told = found if tells_none and recently else since
    return pause_gate(asked, told, pause, appetite, f" ({_change_told_by(view)})")


def _change_told_by(view: View) -> str:
    calibration, found = view.calibration, _calibrated_change(view)
    if isinstance(calibration, Missing):
        return f"in recent swaps; {calibration.reason}"
    if isinstance(found, Missing):
        return f"in recent swaps; {found.reason}"
    told_by = age_words(calibration, view.snapshot)
    is_new = view.snapshot.block.timestamp - calibration.made_at < STEP_S
    return told_by if is_new else f"{told_by}, and recent swaps"


def _by_ewma(view: View) -> KnownRegime | Missing:
    """Over the snapshot's flow, in returns of five minutes."""
    returns = returns_of(view.snapshot, STEP_S)
    reading = returns if isinstance(returns, Missing) else regime_now(returns, STEP_S)
    if isinstance(reading, Missing):
        return reading
    return KnownRegime(regime=reading.regime, measured=f"{reading.ratio:.2f}")

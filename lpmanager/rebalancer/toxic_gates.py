"""The gates of toxic flow, and when it is reason to leave.

The toxic share is what was measured, or what is learned where that is worse.
"""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.model import Gate, Target
from lpmanager.rebalancer.judging import Asked, judged
from lpmanager.rebalancer.view import View
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.calibration.calibration import NOT_MADE
from lpmanager.risk.calibration.live import age_words, toxic_share_at
from lpmanager.risk.learned.in_use import stricter_within_reach
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.markouts import markouts
from lpmanager.risk.order_flow.toxicity import Toxicity, toxicity


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicShare:
    """What was measured of the flow's volume, and what the limit is held against: never less.
    `told_by` says what the calibration has to do with it, if there is one."""

    measured: float
    judged: float
    told_by: str

    def __str__(self) -> str:
        return f"{self.judged:.1%} ({self.told_by})" if self.told_by else f"{self.judged:.1%}"


def toxicity_of(view: View) -> Toxicity | Missing:
    """The toxicity of the snapshot's flow."""
    found = markouts(view.snapshot)
    return found if isinstance(found, Missing) else toxicity(found)


def learned_toxic_share(view: View) -> float | Missing:
    """What the campaign's calibration says of the hour that the snapshot is in, or why it counts
    for nothing."""
    calibration = view.calibration
    if isinstance(calibration, Missing):
        return calibration
    return toxic_share_at(calibration, view.snapshot)


def toxic_share_of(view: View) -> ToxicShare | Missing:
    """What was measured, made worse within reach by what is learned; Missing without the former."""
    found, calibration = toxicity_of(view), view.calibration
    if isinstance(found, Missing):
        return found
    measured = found.toxic_share
    if isinstance(calibration, Missing):
        return _as_measured(measured, calibration)
    learned = learned_toxic_share(view)
    if isinstance(learned, Missing):
        return _as_measured(measured, learned)
    worse, age = stricter_within_reach(learned, measured), age_words(calibration, view.snapshot)
    told_by = (
        f"learned for this hour, {age}; {measured:.1%} was measured"
        if worse > measured
        else f"{age}, which makes it no worse"
    )
    return ToxicShare(measured=measured, judged=worse, told_by=told_by)


def _as_measured(measured: float, why: Missing) -> ToxicShare:
    """Alone, because of that: nobody misses a calibration who never made one."""
    told_by = "" if why == NOT_MADE else f"as measured alone; {why.reason}"
    return ToxicShare(measured=measured, judged=measured, told_by=told_by)


def toxic_flow(view: View, appetite: Appetite) -> Toxicity | None:
    """The flow's toxicity where it is reason to leave: on average, the past fading, it cost
    providers more than it paid them."""
    found = toxicity_of(view) if appetite.leave_while_toxic else None
    return found if isinstance(found, Toxicity) and found.is_toxic else None


def target_while_toxic(found: Toxicity) -> Target:
    """No ranges: whatever their width, they lose to such a flow."""
    return Target(
        ranges=(),
        swap=False,
        reason=f"stay out: the flow costs providers {-found.markout:.3%} of its volume and pays "
        f"{found.fee:.3%}",
    )


def toxic_gates(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    """Whether the flow is one that something may be placed in."""
    return (*_by_markout(view, appetite), *_by_share(view, appetite))


def _by_markout(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    if not appetite.leave_while_toxic:
        return ()
    asked = Asked(
        "markout", "above 0", "what providers made of recent volume, fees included, the past fading"
    )

    def judge(found: Toxicity) -> tuple[bool, str]:
        return not found.is_toxic, f"{found.markout + found.fee:z.3%}"

    return judged(asked, toxicity_of(view), judge, appetite)


def _by_share(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    limit = appetite.max_toxic_share
    if limit is None:
        return ()
    asked = Asked(
        "toxic flow",
        f"{float(limit):.1%}",
        "volume that cost providers more than its fee, at the pool's price 5 minutes later",
    )
    share = toxic_share_of(view)
    return judged(asked, share, lambda found: (found.judged <= limit, str(found)), appetite)

"""When a learned forecast is listened to, and how far."""

from __future__ import annotations

from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.contest import Contest

#: A learned forecast moves the one of the rules by this factor at most, either way.
REACH = 2.0


def beaten(found: Contest, learned: str) -> Missing | None:
    """Why the learned forecast is not used, or None while it beats all rules out of sample.

    A rule that took no part was not beaten. ValueError where nothing else took part: to win against
    nobody says nothing.
    """
    reasons = dict(found.left_out)
    if learned in reasons:
        return Missing(f"{learned} took no part: {reasons[learned].reason}")
    losses = {score.name: score.qlike for score in found.scores}
    rivals = {name: loss for name, loss in losses.items() if name != learned}
    if learned not in losses or not rivals:
        raise ValueError(f"a contest of {learned} and others is needed, found {list(losses)}")
    if reasons:
        absent = " and ".join(f"{name} ({why.reason})" for name, why in reasons.items())
        return Missing(f"{learned} is not used: it was not compared with {absent}")
    best = min(rivals, key=rivals.__getitem__)
    if losses[learned] < rivals[best]:
        return None
    return Missing(
        f"{learned} is not used: its out-of-sample QLIKE over {found.scored} periods is "
        f"{losses[learned]:.4f}, that of {best} {rivals[best]:.4f}"
    )


def within_reach(learned: float, rule: float, reach: float = REACH) -> float:
    """The learned variance, kept within `rule` / `reach` and `rule` * `reach`: it refines what the
    rule says, and never replaces it. Any unit, but the same."""
    if not (learned > 0 and rule > 0 and reach >= 1):
        raise ValueError(
            f"variances are positive and a reach at least 1, found {learned}, {rule} and {reach}"
        )
    return min(max(learned, rule / reach), rule * reach)


def stricter_within_reach(learned: float, measured: float, reach: float = REACH) -> float:
    """The larger of a measured share and a learned one, the latter at most `reach` times the
    former: what is learned makes an upper limit stricter, and never looser. All in [0, 1]."""
    if not (0 <= learned <= 1 and 0 <= measured <= 1 and reach >= 1):
        raise ValueError(
            f"shares are in [0, 1] and a reach at least 1, found {learned}, {measured} and {reach}"
        )
    return max(measured, min(learned, measured * reach))

"""A range of which a side is used up is placed anew, before the price leaves it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from lpmanager.inventory import PositionInventory
from lpmanager.inventory.capacity import Capacity, position_capacity
from lpmanager.model import Gate, Target
from lpmanager.rebalancer.policies import Policy
from lpmanager.rebalancer.view import View
from lpmanager.risk.appetite import Appetite


def target_of(view: View, policy: Policy, appetite: Appetite) -> Target:
    """What the policy wants; where a side of the widest range is used up to the share to act at,
    or to that from which it must be left, what it wants as if that range were not held.

    Where it then wants nothing new, its own rules count: it may enter on other terms than it stays.
    """
    # a side that was beyond the one share when the range was placed may yet come to the other
    shares = (appetite.act_at_capacity_used, appetite.must_at_capacity_used)
    sides = (_used_beyond(view, share) for share in shares if share is not None)
    used = max((side for side in sides if side is not None), default=None)
    if used is None:
        return policy.target(view)
    snapshot, spent = view.snapshot, widest(view)
    others = tuple(p for p in snapshot.positions if spent is None or p != spent.position)
    anew = policy.target(replace(view, snapshot=replace(snapshot, positions=others)))
    if {want.range for want in anew.ranges} <= {p.range for p in snapshot.positions}:
        return policy.target(view)
    return replace(anew, reason=f"{anew.reason}; a side of the range is {float(used):.1%} used")


def must_place_anew(view: View, target: Target, appetite: Appetite) -> Gate | None:
    """The open gate in the place of payback, where the target leaves a range that is used up so far
    that it must be left; None where it is not, or no such share is given."""
    must_at, spent = appetite.must_at_capacity_used, widest(view)
    used = None if must_at is None else _used_beyond(view, must_at)
    if must_at is None or used is None or spent is None:
        return None
    if spent.position.range in {want.range for want in target.ranges}:
        return None
    return Gate(
        name="capacity",
        passed=True,
        measured=f"{float(used):.1%} used",
        limit=f"{float(must_at):.1%}",
        reason="so far used up, a range is placed anew whether or not that pays back",
    )


def capacity_gates(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    """How far the sides of the widest range are used, where a share is given from which on it is
    placed anew, and how far they were when it was placed."""
    shares = {
        "act at capacity": appetite.act_at_capacity_used,
        "must at capacity": appetite.must_at_capacity_used,
    }
    return tuple(
        Gate(
            name=name,
            passed=_used_beyond(view, share) is None,
            measured=_sides_told(view),
            limit=f"{float(share):.1%}",
            reason="from there on the range is placed anew, but not for a side that was used as "
            "far when it was placed",
        )
        for name, share in shares.items()
        if share is not None
    )


def _sides_told(view: View) -> str:
    spent = widest(view)
    if spent is None:
        return "no range"
    sides = zip(
        ("sell", "buy"), _sides(spent.capacity), _sides_when_placed(view, spent), strict=True
    )
    return ", ".join(
        f"nothing to {side}"
        if now is None
        else f"{float(now):.1%} to {side}"
        + ("" if then is None else f" ({float(then):.1%} when placed)")
        for side, now, then in sides
    )


def widest(view: View) -> PositionInventory | None:
    """The position that is judged, beside which others are orders; None where there is none."""
    return max(view.inventory.positions, key=lambda held: held.position.range.width, default=None)


def _used_beyond(view: View, share: Fraction) -> Fraction | None:
    """How far the side of the widest range that is the furthest is used, where that is at least
    `share`.

    A side that was used as far when the range was placed, as one of an order beside the price is,
    does not count; both do where the books do not tell how it was placed.
    """
    spent = widest(view)
    if spent is None:
        return None
    sides = zip(_sides(spent.capacity), _sides_when_placed(view, spent), strict=True)
    used = [
        now
        for now, then in sides
        if now is not None and now >= share and (then is None or then < share)
    ]
    return max(used, default=None)


def _sides(capacity: Capacity) -> tuple[Fraction | None, Fraction | None]:
    return capacity.base_used, capacity.quote_used


def _sides_when_placed(
    view: View, held: PositionInventory
) -> tuple[Fraction | None, Fraction | None]:
    basis, snapshot = view.record.bases.get(held.position.token_id), view.snapshot
    if basis is None:
        return None, None
    then = position_capacity(snapshot.pool, snapshot.quote, basis.sqrt_price_x96, held.position)
    return _sides(then)

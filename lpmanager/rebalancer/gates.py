"""The gates a planned change must pass, each with the number it was judged by."""

from __future__ import annotations

from fractions import Fraction

from lpmanager.model import Amount, Estimate, Gate, Mint
from lpmanager.model.tick import SqrtPriceX96
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.economics import active_of
from lpmanager.rebalancer.vault_gates import vault_gates
from lpmanager.rebalancer.view import View
from lpmanager.risk.limits import Limits

_BPS = 10_000


def usage_gates(view: View, limits: Limits) -> tuple[Gate, ...]:
    """What was already done today, from the ledger."""
    usage, now = view.record.usage, view.snapshot.block.timestamp
    since = None if usage.last_move_at is None else now - usage.last_move_at
    return (
        Gate(
            name="moves per day",
            passed=usage.moves < limits.max_moves_per_day,
            measured=str(usage.moves),
            limit=str(limits.max_moves_per_day),
            reason="moves in the last 24 hours",
        ),
        Gate(
            name="interval",
            passed=since is None or since >= limits.min_interval_s,
            measured="no move yet" if since is None else f"{since} s",
            limit=f"{limits.min_interval_s} s",
            reason="time since the last move",
        ),
    )


def plan_gates(view: View, candidate: Candidate, gas_wei: int, limits: Limits) -> tuple[Gate, ...]:
    """Whether this very change stays inside the limits."""
    return (
        _gas_today(view, gas_wei, limits),
        _gas_money(view, gas_wei),
        _swap_cost_today(view, candidate, limits),
        _impact(view, candidate.after.sqrt_price_x96, limits),
        _pool_share(view, candidate, limits),
        _step(view, candidate, limits),
        _minimums(candidate),
        *vault_gates(view, candidate),
    )


def leaving_gates(
    view: View, candidate: Candidate, gas_wei: int, limits: Limits
) -> tuple[Gate, ...]:
    """Of those the ones for a candidate that only takes tokens out, whatever else was done."""
    return (
        _gas_today(view, gas_wei, limits),
        _gas_money(view, gas_wei),
        *vault_gates(view, candidate),
    )


def payback(view: View, estimate: Estimate) -> Gate:
    """A re-range must be expected to earn its cost back within the horizon."""
    cost = estimate.gas + estimate.swap_cost
    quote = view.snapshot.quote
    return Gate(
        name="payback",
        passed=estimate.fees_gained > cost,
        measured=f"gains {_money(view, estimate.fees_gained)} {quote.symbol}",
        limit=f"costs {_money(view, cost)} {quote.symbol}",
        reason=f"expected extra fees within {estimate.horizon_s} s against gas and swap",
    )


def hedge_cost(view: View, candidate: Candidate, estimate: Estimate, limits: Limits) -> Gate:
    """A hedge must not cost more than the slippage allowance of what it moves."""
    return _cost_of_moving("hedge cost", view, candidate, estimate, limits)


def leaving_cost(view: View, candidate: Candidate, estimate: Estimate, limits: Limits) -> Gate:
    """Leaving all ranges earns nothing back; it must not cost more than a hedge of as much."""
    return _cost_of_moving("leaving cost", view, candidate, estimate, limits)


def _cost_of_moving(
    name: str, view: View, candidate: Candidate, estimate: Estimate, limits: Limits
) -> Gate:
    moved = candidate.at_risk  # slippage_bps of the value moved
    cost = estimate.gas + estimate.swap_cost
    return Gate(
        name=name,
        passed=cost <= moved,
        measured=f"{_money(view, cost)} {view.snapshot.quote.symbol}",
        limit=f"{_money(view, moved)} {view.snapshot.quote.symbol}",
        reason=f"gas and swap cost against {limits.slippage_bps} bps of the value moved",
    )


def _gas_today(view: View, gas_wei: int, limits: Limits) -> Gate:
    native = view.snapshot.wallet.native.token
    spent = view.record.usage.gas_raw + gas_wei
    return Gate(
        name="gas per day",
        passed=spent <= limits.max_gas_per_day_raw,
        measured=_amount(Amount(native, spent)),
        limit=_amount(Amount(native, limits.max_gas_per_day_raw)),
        reason="gas of the last 24 hours and of this change",
    )


def _gas_money(view: View, gas_wei: int) -> Gate:
    native = view.snapshot.wallet.native
    needed = 2 * gas_wei
    return Gate(
        name="gas money",
        passed=native.raw >= needed,
        measured=_amount(native),
        limit=_amount(Amount(native.token, needed)),
        reason="native coin of the signing account against twice the gas of this change",
    )


def _swap_cost_today(view: View, candidate: Candidate, limits: Limits) -> Gate:
    spent = view.record.usage.swap_cost_quote_raw + candidate.swap_cost
    quote = view.snapshot.quote
    return Gate(
        name="swap cost per day",
        passed=spent <= limits.max_swap_cost_per_day_raw,
        measured=f"{_money(view, spent)} {quote.symbol}",
        limit=_amount(Amount(quote, limits.max_swap_cost_per_day_raw)),
        reason="swap cost of the last 24 hours and of this change",
    )


def _impact(view: View, after: SqrtPriceX96, limits: Limits) -> Gate:
    """Our own swap must not move the price further than the slippage allowance."""
    before = view.snapshot.state.sqrt_price_x96
    moved = abs(Fraction(after, before) ** 2 - 1) * _BPS
    return Gate(
        name="price impact",
        passed=moved <= limits.slippage_bps,
        measured=f"{float(moved):.2f} bps",
        limit=f"{limits.slippage_bps} bps",
        reason="how far our own swap moves the pool's price",
    )


def _pool_share(view: View, candidate: Candidate, limits: Limits) -> Gate:
    ours = active_of(candidate.placed, candidate.after.tick)
    whole = ours + candidate.others_liquidity
    share = Fraction(ours, whole) if whole else Fraction(0)
    return Gate(
        name="pool share",
        passed=share <= limits.max_pool_share,
        measured=f"{float(share):.2%}",
        limit=f"{float(limits.max_pool_share):.2%}",
        reason="our part of the pool's active liquidity afterwards",
    )


def _step(view: View, candidate: Candidate, limits: Limits) -> Gate:
    """Bounds how far one decision, right or wrong, can carry the range."""
    held = [p.range.centre for p in view.snapshot.positions]
    minted = [a.range.centre for a in candidate.actions if isinstance(a, Mint)]
    moved = max((min(abs(new - old) for old in held) for new in minted), default=0) if held else 0
    return Gate(
        name="step",
        passed=moved <= limits.max_step_ticks,
        measured=f"{moved} ticks",
        limit=f"{limits.max_step_ticks} ticks",
        reason="distance of the new centre from the nearest old one",
    )


def _minimums(candidate: Candidate) -> Gate:
    """A mint without a minimum is not protected. Only dust comes to have none: a burn that has
    none pays nothing either."""
    mints = [action for action in candidate.actions if isinstance(action, Mint)]
    bare = sum(mint.minimum.is_zero for mint in mints)
    return Gate(
        name="minimums",
        passed=bare == 0,
        measured=f"{bare} without",
        limit="0 without",
        reason="every mint must have a minimum above 0; one that has none is of a few raw units",
    )


def _amount(amount: Amount) -> str:
    """Exactly, without the zeros that end it."""
    whole, _, part = f"{amount.to_decimal():,f}".partition(".")
    part = part.rstrip("0")
    return f"{whole}.{part} {amount.token.symbol}" if part else f"{whole} {amount.token.symbol}"


def _money(view: View, raw: Fraction) -> str:
    return f"{float(raw / 10**view.snapshot.quote.decimals):,.4f}"

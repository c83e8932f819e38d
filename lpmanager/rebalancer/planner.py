"""From a candidate to a Plan: its cost, price bounds, expiry, and the gates it was judged by."""

from __future__ import annotations

from fractions import Fraction

from lpmanager.amm import sqrt_price_bounds
from lpmanager.model import Estimate, Gate, Plan, VaultState, VaultTurn
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.economics import gas_cost
from lpmanager.rebalancer.view import View
from lpmanager.risk.limits import Limits


def estimate_of(
    view: View, candidate: Candidate, gas_wei: int, fees_gained: Fraction, horizon_s: int
) -> Estimate:
    """What a candidate costs, now and at the worst, beside what it should gain."""
    gas = gas_cost(view.snapshot, gas_wei)
    return Estimate(
        gas=gas,
        swap_cost=candidate.swap_cost,
        fees_gained=fees_gained,
        horizon_s=horizon_s,
        worst_case=2 * gas + candidate.swap_cost + candidate.at_risk,
    )


def plan_of(
    campaign: str,
    view: View,
    candidate: Candidate,
    estimate: Estimate,
    gates: tuple[Gate, ...],
    limits: Limits,
) -> Plan:
    """The candidate as a Plan. Its price may move by the slippage allowance beyond now and after
    our own swap; it expires `plan_ttl_s` after its block."""
    snapshot = view.snapshot
    prices = snapshot.state.sqrt_price_x96, candidate.after.sqrt_price_x96
    return Plan(
        campaign=campaign,
        chain_id=snapshot.chain_id,
        account=snapshot.wallet.signer,
        nonce=snapshot.wallet.nonce,
        vault=_turn_of(snapshot.vault),
        pool=snapshot.pool.address,
        block=snapshot.block,
        expires_at=snapshot.block.timestamp + limits.plan_ttl_s,
        sqrt_price_min_x96=sqrt_price_bounds(min(prices), limits.slippage_bps)[0],
        sqrt_price_max_x96=sqrt_price_bounds(max(prices), limits.slippage_bps)[1],
        actions=candidate.actions,
        target=candidate.target,
        estimate=estimate,
        gates=gates,
        reason=f"{candidate.name}; {candidate.target.reason}",
    )


def _turn_of(vault: VaultState | None) -> VaultTurn | None:
    return None if vault is None else VaultTurn(address=vault.address, seq=vault.seq)

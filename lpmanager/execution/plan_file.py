"""Plans as files: a person can read them, and an altered, stale or foreign one is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lpmanager.errors import PlanRefused, UsageError
from lpmanager.model import Decision, Hold, Plan, Snapshot, Usage, VaultState, VaultTurn

FORMAT = "lpmanager-plan-3"

_PLAN = TypeAdapter(Plan)
_HOLD = TypeAdapter(Hold)


def decision_to_json(decision: Decision) -> dict[str, Any]:
    """A Plan or Hold as JSON values. Raw amounts are integers in the token's smallest unit."""
    if isinstance(decision, Plan):
        return {"decision": "plan", **_PLAN.dump_python(decision, mode="json")}
    return {"decision": "hold", **_HOLD.dump_python(decision, mode="json")}


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan with the digest of its content. Raises UsageError where that fails."""
    body = _PLAN.dump_python(plan, mode="json")
    text = json.dumps({"format": FORMAT, "digest": _digest(body), "plan": body}, indent=2) + "\n"
    try:
        path.write_text(text)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def read_plan(path: Path) -> Plan:
    """The plan in a file. Raises PlanRefused where it is no plan, or was altered."""
    try:
        return _plan_in(path)
    except RecursionError as error:
        raise PlanRefused(f"{path}: not a plan: it is nested deeper than any") from error


def require_of_this_chain(plan: Plan, found: str | None) -> None:
    """Raise PlanRefused unless the block that the plan was made at is the one `found` at its height
    now; None where the chain has none there."""
    if found != plan.block.hash:
        here = found or "none yet: where its RPC lags behind, try again"
        raise PlanRefused(
            f"the plan was made at block {plan.block.number}, {plan.block.hash}, where this chain "
            f"has {here}; make a new one"
        )


def require_nothing_signed_since(plan: Plan, nonce: int) -> None:
    """Raise PlanRefused where its account, of which that is the `nonce` now, has had a transaction
    mined since the plan was made: whichever store knows of it, it may be the plan's own."""
    if plan.nonce != nonce:
        raise PlanRefused(
            f"account {plan.account} had {plan.nonce} transactions mined when the plan was made, "
            f"and has {nonce} now, perhaps by this very plan; make a new one"
        )


def require_still_good(plan: Plan, *, chain_id: int, account: str, now: int) -> None:
    """Raise PlanRefused where the plan is for another chain or account, or has expired.

    `now` is the newest block's timestamp.
    """
    if plan.chain_id != chain_id:
        raise PlanRefused(f"the plan is for chain {plan.chain_id}, this is chain {chain_id}")
    if plan.account != account:
        raise PlanRefused(f"the plan is for account {plan.account}, this is {account}")
    if now > plan.expires_at:
        raise PlanRefused(
            f"the plan expired {now - plan.expires_at} s ago; make a new one with `lpm plan --out`"
        )


def require_current(plan: Plan, snapshot: Snapshot, usage: Usage) -> None:
    """As `require_still_good` at a snapshot; also raises PlanRefused where the plan is for another
    pool, another vault or another of its turns, the price has left its bounds, or the campaign has
    moved since it was made."""
    require_still_good(
        plan,
        chain_id=snapshot.chain_id,
        account=snapshot.wallet.signer,
        now=snapshot.block.timestamp,
    )
    if plan.pool != snapshot.pool.address:
        raise PlanRefused(f"the plan is for pool {plan.pool}, this is {snapshot.pool.address}")
    _require_turn(plan.vault, snapshot.vault)
    price = snapshot.state.sqrt_price_x96
    if not plan.sqrt_price_min_x96 <= price <= plan.sqrt_price_max_x96:
        raise PlanRefused(
            f"the price has left the plan's bounds: sqrtPriceX96 {price} is not in "
            f"[{plan.sqrt_price_min_x96}, {plan.sqrt_price_max_x96}]; make a new one"
        )
    if usage.last_move_at is not None and usage.last_move_at > plan.block.timestamp:
        raise PlanRefused(
            "the campaign has moved since the plan was made, perhaps by this very plan; make a "
            "new one"
        )


def _plan_in(path: Path) -> Plan:
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise PlanRefused(f"{path}: not a plan: it is not JSON") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise PlanRefused(f"{path}: not a plan of format {FORMAT}; make one with `lpm plan --out`")
    body = content.get("plan")
    if content.get("digest") != _digest(body):
        raise PlanRefused(f"{path}: the plan was altered since it was made; make a new one")
    try:
        return _PLAN.validate_python(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PlanRefused(f"{path}: {where}: {first['msg']}") from error


def _require_turn(planned: VaultTurn | None, vault: VaultState | None) -> None:
    """A plan is for the account's own tokens, or for one of a vault's numbered rebalances."""
    expected = None if planned is None else planned.address
    found = None if vault is None else vault.address
    if expected != found:
        raise PlanRefused(
            f"the plan is for {_held_by(expected)}, this is {_held_by(found)}; make a new one"
        )
    if planned is not None and vault is not None and planned.seq != vault.seq:
        raise PlanRefused(
            f"the plan is for rebalance {planned.seq} of vault {planned.address}, which is at "
            f"{vault.seq} by now; make a new one"
        )


def _held_by(vault: str | None) -> str:
    return "the account's own tokens" if vault is None else f"vault {vault}"


def _digest(body: Any) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()

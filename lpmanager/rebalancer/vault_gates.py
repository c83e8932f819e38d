"""What a vault's code lets its operator do, asked before anything is signed for it.

The contract judges the transaction itself, at the prices of its own block; what it would refuse
costs gas for nothing, or is never sent. Terms are those of contracts/src/LiquidityVault.sol.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from lpmanager.amm import amounts_for_liquidity_down, sqrt_price_at_tick
from lpmanager.model import (
    MAX_TICK,
    Amounts,
    Collect,
    Gate,
    Mint,
    SqrtPriceX96,
    Swap,
    VaultState,
    Withdraw,
)
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.economics import Placed
from lpmanager.rebalancer.view import View

#: So many ranges fit into a vault.
MAX_RANGES = 4

_PIPS = 10**6
_WAD = 10**18
_NO_TWAP = "no history"


def vault_gates(view: View, candidate: Candidate) -> tuple[Gate, ...]:
    """None where the account itself holds the tokens. Fees are collected whatever the bounds."""
    vault = view.snapshot.vault
    if vault is None:
        return ()
    obeys = _paused(vault), _operator(view, vault)
    if all(isinstance(action, Collect) for action in candidate.actions):
        return obeys
    return (
        *obeys,
        _cooldown(view, vault),
        _price(view, vault, candidate),
        _width(vault, candidate),
        _ranges(candidate),
        _move(view, vault, candidate),
        *_losses(view, vault, candidate),
    )


def _paused(vault: VaultState) -> Gate:
    return Gate(
        name="vault paused",
        passed=not vault.paused,
        measured="paused" if vault.paused else "not paused",
        limit="not paused",
        reason="its guardian or owner pauses it; its owner lets it go on with `lpm vault unpause`",
    )


def _operator(view: View, vault: VaultState) -> Gate:
    signer = view.snapshot.wallet.signer
    return Gate(
        name="vault operator",
        passed=vault.operator == signer,
        measured=vault.operator,
        limit=signer,
        reason="who may rebalance it, against the account that signs; its owner sets that with "
        "`lpm vault set-operator`",
    )


def _cooldown(view: View, vault: VaultState) -> Gate:
    now, never = view.snapshot.block.timestamp, vault.rebalanced_at == 0
    return Gate(
        name="vault cooldown",
        passed=now >= vault.ready_at,
        measured="no rebalance yet" if never else f"{now - vault.rebalanced_at} s",
        limit=f"{vault.bounds.cooldown_s} s",
        reason="time since the vault's last rebalance",
    )


def _price(view: View, vault: VaultState, candidate: Candidate) -> Gate:
    """The vault wants the price near its mean before the rebalance and after it."""
    mean, limit = _mean_tick(view), vault.bounds.max_deviation_ticks
    ticks = view.snapshot.state.tick, candidate.after.tick
    away = None if mean is None else max(abs(tick - mean) for tick in ticks)
    return Gate(
        name="vault price",
        passed=away is not None and away <= limit,
        measured=_NO_TWAP if away is None else f"{away} ticks",
        limit=f"{limit} ticks",
        reason="distance of the price, before and after, from its mean; the vault takes that over "
        f"{vault.bounds.twap_window_s} s",
    )


def _width(vault: VaultState, candidate: Candidate) -> Gate:
    widths = [a.range.width for a in candidate.actions if isinstance(a, Mint)]
    narrowest = min(widths, default=None)
    return Gate(
        name="vault width",
        passed=narrowest is None or narrowest >= vault.bounds.min_width_ticks,
        measured="no new range" if narrowest is None else f"{narrowest} ticks",
        limit=f"{vault.bounds.min_width_ticks} ticks",
        reason="width of the narrowest new range",
    )


def _ranges(candidate: Candidate) -> Gate:
    count = len({tick_range for tick_range, _ in candidate.placed})
    return Gate(
        name="vault ranges",
        passed=count <= MAX_RANGES,
        measured=str(count),
        limit=str(MAX_RANGES),
        reason="ranges that the vault holds afterwards",
    )


def _move(view: View, vault: VaultState, candidate: Candidate) -> Gate:
    """From the last centre, or from the mean price where the vault has none."""
    centre = _centre(candidate.placed)
    start = _mean_tick(view) if vault.centre is None else vault.centre
    moved = None if centre is None or start is None else abs(centre - start)
    limit = vault.bounds.max_move_ticks
    return Gate(
        name="vault move",
        passed=centre is None or (moved is not None and moved <= limit),
        measured=_told_move(centre, moved),
        limit=f"{limit} ticks",
        reason="distance of the centre of all ranges from the last one, or from the mean price",
    )


def _told_move(centre: int | None, moved: int | None) -> str:
    if centre is None:
        return "no ranges left"
    return _NO_TWAP if moved is None else f"{moved} ticks"


def _losses(view: View, vault: VaultState, candidate: Candidate) -> tuple[Gate, Gate]:
    loss = _loss(view, candidate)
    reason = "what the vault is worth less afterwards, at the worst price from now to the mean"
    per_call = Fraction(vault.bounds.max_loss_per_call_pips, _PIPS)
    left = Fraction(vault.budget_left_wad, _WAD)
    return (
        _loss_gate("vault loss", loss, per_call, reason),
        _loss_gate("vault loss per day", loss, left, reason + "; what is left of the day's"),
    )


def _loss_gate(name: str, loss: Fraction | None, limit: Fraction, reason: str) -> Gate:
    return Gate(
        name=name,
        passed=loss is not None and loss <= limit,
        measured=_NO_TWAP if loss is None else f"{float(loss):.4%}",
        limit=f"{float(limit):.4%}",
        reason=reason,
    )


def _loss(view: View, candidate: Candidate) -> Fraction | None:
    """The share of its worth that the vault loses, None where there is no mean price.

    As the contract counts it: from the end of the burns, without the fees that stay uncollected,
    and at the worst price from the lowest to the highest of its mean, that before the transaction
    and that before its block. The oracle tells ticks of which the upper end counts as well; the
    price before the block is taken to be the present one.
    """
    mean, now = _mean_tick(view), view.snapshot.state.tick
    if mean is None:
        return None
    # What is lost is a convex function of the price, so the ends bound all between them.
    ends = sqrt_price_at_tick(min(mean, now)), sqrt_price_at_tick(min(max(mean, now) + 1, MAX_TICK))
    return max(_loss_at(view, candidate, price) for price in ends)


def _loss_at(view: View, candidate: Candidate, sqrt_price_x96: SqrtPriceX96) -> Fraction:
    pool = view.snapshot.pool
    price = pool.price(view.snapshot.quote, sqrt_price_x96)

    def worth(idle: Amounts, placed: Iterable[Placed]) -> Fraction:
        amounts = (
            pool.amounts(*amounts_for_liquidity_down(sqrt_price_x96, tick_range, liquidity))
            for tick_range, liquidity in placed
        )
        return price.value(sum(amounts, start=idle))

    burned, changed = _idle(view, candidate)
    minted = sum(isinstance(action, Mint) for action in candidate.actions)
    kept = candidate.placed[: len(candidate.placed) - minted]
    before = worth(burned, kept)
    later = worth(changed, candidate.placed)
    return max((before - later) / before, Fraction(0)) if before else Fraction(0)


def _idle(view: View, candidate: Candidate) -> tuple[Amounts, Amounts]:
    """The tokens outside positions once all burns are done, and at the end."""
    burned = changed = view.record.wallet
    for action in candidate.actions:
        match action:
            case Withdraw():
                burned += action.expected
                changed += action.expected
            case Swap():
                changed += _swapped(view, action)
            case Mint():
                changed -= action.desired
    return burned, changed


def _swapped(view: View, action: Swap) -> Amounts:
    pool, sold, bought = view.snapshot.pool, action.amount_in, action.expected_out
    if sold.token == pool.token0:
        return pool.amounts(-sold.raw, bought.raw)
    return pool.amounts(bought.raw, -sold.raw)


def _centre(placed: Iterable[Placed]) -> int | None:
    """The middle of all ranges together, towards zero as the contract divides; None of none."""
    ranges = [tick_range for tick_range, _ in placed]
    if not ranges:
        return None
    both = min(r.lower for r in ranges) + max(r.upper for r in ranges)
    return both // 2 if both >= 0 else -(-both // 2)


def _mean_tick(view: View) -> int | None:
    twap = view.snapshot.twap
    return None if twap is None else twap.tick_down

"""Our vault (contracts/src/LiquidityVault.sol): how to ask it, how to call it, what it tells.

A position of a vault is no NFT: it is one range, held in the pool directly, at most once. Nothing
here talks to a chain.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.address import to_checksum_address

from lpmanager.abi import ContractCall, CustomError, Event, Function
from lpmanager.model import Amounts, Mint, Swap, TickRange, VaultBounds

#: As an amount to withdraw, all that there is.
UINT256_MAX = 2**256 - 1
#: As an account, nobody.
NOBODY = "0x" + "00" * 20

_TICK_BITS = 24
_TICK_MASK = (1 << _TICK_BITS) - 1
_BOUNDS = "(uint32,uint24,uint24,uint24,uint32,uint24,uint24)"
_SWAP = "(bool,uint128,uint160,uint256)"
_MINT = "(int24,int24,uint256,uint256,uint256,uint256)"

_POOL = Function("pool()", "(address)")
_OWNER = Function("owner()", "(address)")
_PENDING_OWNER = Function("pendingOwner()", "(address)")
_OPERATOR = Function("operator()", "(address)")
_GUARDIAN = Function("guardian()", "(address)")
_PAUSED = Function("paused()", "(bool)")
_GET_BOUNDS = Function("bounds()", _BOUNDS)
_STATE = Function("state()", "(uint64,uint64,uint40,int24,bool)")
_RANGES = Function("ranges()", "(int24[2][])")
_BUDGET_LEFT = Function("budgetLeft()", "(uint256)")

_REBALANCE = Function(f"rebalance(uint256,(uint256,uint256,uint256,{_SWAP},{_MINT}[]),uint256)")
_COLLECT_FEES = Function("collectFees()")
_WITHDRAW = Function("withdraw(address,uint256,address)")
_EXIT = Function("exit(address,bool,bool)")
_PROPOSE_OWNER = Function("proposeOwner(address)")
_ACCEPT_OWNER = Function("acceptOwner()")
_SET_OPERATOR = Function("setOperator(address)")
_SET_GUARDIAN = Function("setGuardian(address)")
_SET_BOUNDS = Function(f"setBounds({_BOUNDS})")
_PAUSE = Function("pause()")
_UNPAUSE = Function("unpause()")

#: What the constructor takes: factory, pool, owner, operator, guardian, bounds.
CONSTRUCTOR = ("address", "address", "address", "address", "address", _BOUNDS)

BURNED = Event(
    "Burned(uint64,int24,int24,uint128,uint256,uint256)",
    "(int24,int24,uint128,uint256,uint256)",
)
COLLECTED = Event("Collected(uint64,int24,int24,uint256,uint256)", "(int24,int24,uint256,uint256)")
SWAPPED = Event("Swapped(uint64,int256,int256)", "(int256,int256)")
MINTED = Event(
    "Minted(uint64,int24,int24,uint128,uint256,uint256)",
    "(int24,int24,uint128,uint256,uint256)",
)
REBALANCED = Event(
    "Rebalanced(uint64,int24,uint160,uint256,uint256,uint256,uint256)",
    "(int24,uint160,uint256,uint256,uint256,uint256)",
)
WITHDRAWN = Event("Withdrawn(address,address,uint256)", "(uint256)")
EXITED = Event("Exited(uint64,address)", "()")
OWNER_PROPOSED = Event("OwnerProposed(address)", "()")
OWNER_SET = Event("OwnerSet(address)", "()")
OPERATOR_SET = Event("OperatorSet(address)", "()")
GUARDIAN_SET = Event("GuardianSet(address)", "()")
BOUNDS_SET = Event(f"BoundsSet({_BOUNDS})", f"({_BOUNDS})")
PAUSED = Event("Paused(address)", "()")
UNPAUSED = Event("Unpaused()", "()")

#: Every error the vault reverts with by name.
ERRORS = tuple(
    CustomError(signature)
    for signature in (
        "NotOwner()",
        "NotPendingOwner()",
        "NotOperator()",
        "NotGuardian()",
        "NotPool()",
        "NotInFlight()",
        "Reentered()",
        "IsPaused()",
        "ZeroAddress()",
        "PoolNotOfFactory(address)",
        "BoundsTooLoose()",
        "WrongSeq(uint256)",
        "TooLate(uint256)",
        "TooSoon(uint256)",
        "PriceAway(int24,int24)",
        "NotHeld(uint256)",
        "NoMinimum()",
        "BurnedTooLittle(uint256,uint256)",
        "SwappedTooLittle(uint256)",
        "BadPriceLimit(uint160,uint160)",
        "BadRange(int24,int24)",
        "TooNarrow(int24,int24)",
        "TooFar(int24,int24)",
        "TooManyRanges()",
        "NoLiquidity()",
        "MintedTooLittle(uint256,uint256)",
        "LossPerCall(uint256)",
        "LossPerDay(uint256,uint256)",
        "TransferFailed(address)",
        "NoHistory(uint32)",
        "TokenRefused(address)",
        "TokenUntestable(address)",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What a vault remembers of its rebalances.

    `seq` is of the next one. `used_wad` of the day's losses was used up at `rebalanced_at` (Unix
    seconds, 0 before the first), in parts of 1e18 of the vault's worth. `centre` is the middle tick
    of the ranges after the last rebalance that left any, None where there was none since an exit.
    """

    seq: int
    used_wad: int
    rebalanced_at: int
    centre: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebalance:
    """What one rebalance is told to do, in this order.

    Of the vault's `ranges` those whose bit is set in `keep` stay as they are (bit 0 is the first);
    the others are closed, for at least `burn_minimum` in all. Then `swap`, then `mints`.
    """

    keep: int
    burn_minimum: Amounts
    swap: Swap | None
    mints: tuple[Mint, ...]


# ---- positions ----


def position_id(vault: str, tick_range: TickRange) -> int:
    """The id of a vault's position: no other vault, range or NFT has it."""
    lower, upper = tick_range.lower & _TICK_MASK, tick_range.upper & _TICK_MASK
    return int(vault, 16) << 2 * _TICK_BITS | lower << _TICK_BITS | upper


def range_of(position_id: int) -> TickRange:
    """The range in an id that `position_id` made."""
    return TickRange(_signed(position_id >> _TICK_BITS), _signed(position_id))


# ---- reading ----


def pool(vault: str) -> ContractCall[str]:
    """The pool in which the vault trades and holds its positions."""
    return _POOL.call(vault, read=_checksummed)


def owner(vault: str) -> ContractCall[str]:
    """Who can take everything out."""
    return _OWNER.call(vault, read=_checksummed)


def pending_owner(vault: str) -> ContractCall[str | None]:
    """Who becomes the owner by accepting; None where nobody was proposed."""
    return _PENDING_OWNER.call(vault, read=_anybody)


def operator(vault: str) -> ContractCall[str]:
    """Who may rebalance; the zero address where only the owner may."""
    return _OPERATOR.call(vault, read=_checksummed)


def guardian(vault: str) -> ContractCall[str]:
    """Who may pause besides the owner; the zero address where nobody else may."""
    return _GUARDIAN.call(vault, read=_checksummed)


def paused(vault: str) -> ContractCall[bool]:
    """Whether the operator may do nothing for the time being."""
    return _PAUSED.call(vault, read=bool)


def bounds(vault: str) -> ContractCall[VaultBounds]:
    """What the vault lets its operator do."""
    return _GET_BOUNDS.call(vault, read=_read_bounds)


def turns(vault: str) -> ContractCall[Turns]:
    """What the vault remembers of its rebalances."""
    return _STATE.call(
        vault,
        read=lambda seq, used, rebalanced_at, centre, centred: Turns(
            seq=seq,
            used_wad=used,
            rebalanced_at=rebalanced_at,
            centre=centre if centred else None,
        ),
    )


def ranges(vault: str) -> ContractCall[tuple[TickRange, ...]]:
    """The ranges that the vault holds, in the order of the bits of `Rebalance.keep`."""
    return _RANGES.call(vault, read=lambda found: tuple(TickRange(*edges) for edges in found))


def budget_left(vault: str) -> ContractCall[int]:
    """What may be lost now, in parts of 1e18 of the vault's worth."""
    return _BUDGET_LEFT.call(vault, read=int)


# ---- writing: calldata ----


def rebalance(seq: int, order: Rebalance, deadline: int) -> bytes:
    """Calldata by which the operator closes, swaps and opens, all or nothing.

    It counts as the vault's turn `seq` and no other, until `deadline` (Unix seconds, block time).
    """
    swap = (False, 0, 0, 0)
    if order.swap is not None:
        sold = order.swap.amount_in
        zero_for_one = sold.token == order.burn_minimum.amount0.token
        swap = zero_for_one, sold.raw, order.swap.sqrt_price_limit_x96, order.swap.minimum_out.raw
    mints = [
        (mint.range.lower, mint.range.upper, *mint.desired.raw, *mint.minimum.raw)
        for mint in order.mints
    ]
    return _REBALANCE.encode(seq, (order.keep, *order.burn_minimum.raw, swap, mints), deadline)


def collect_fees() -> bytes:
    """Calldata by which the operator takes the fees of every position into the vault."""
    return _COLLECT_FEES.encode()


def withdraw(token: str, raw: int, recipient: str) -> bytes:
    """Calldata by which the owner takes out idle tokens; `UINT256_MAX` takes all of them."""
    return _WITHDRAW.encode(token, raw, recipient)


def exit_all(recipient: str, *, want0: bool = True, want1: bool = True) -> bytes:
    """Calldata by which the owner closes every position and takes everything out.

    A token that is not wanted stays in the pool, should its transfers be frozen.
    """
    return _EXIT.encode(recipient, want0, want1)


def propose_owner(account: str) -> bytes:
    """Calldata by which the owner names the next one; `NOBODY` takes a proposal back."""
    return _PROPOSE_OWNER.encode(account)


def accept_owner() -> bytes:
    """Calldata by which the account that was proposed becomes the owner."""
    return _ACCEPT_OWNER.encode()


def set_operator(account: str) -> bytes:
    """Calldata by which the owner names who may rebalance; `NOBODY` leaves it to the owner."""
    return _SET_OPERATOR.encode(account)


def set_guardian(account: str) -> bytes:
    """Calldata by which the owner names who may pause besides; `NOBODY` for nobody."""
    return _SET_GUARDIAN.encode(account)


def set_bounds(values: VaultBounds) -> bytes:
    """Calldata by which the owner sets what the operator may do."""
    return _SET_BOUNDS.encode(bounds_words(values))


def pause() -> bytes:
    """Calldata by which the guardian or the owner stops the operator."""
    return _PAUSE.encode()


def unpause() -> bytes:
    """Calldata by which the owner lets the operator go on."""
    return _UNPAUSE.encode()


def bounds_words(values: VaultBounds) -> tuple[int, ...]:
    """The bounds in the order in which the contract takes and tells them."""
    return (
        values.twap_window_s,
        values.max_deviation_ticks,
        values.min_width_ticks,
        values.max_move_ticks,
        values.cooldown_s,
        values.max_loss_per_call_pips,
        values.max_loss_per_day_pips,
    )


def _read_bounds(
    window: int, deviation: int, width: int, move: int, cooldown: int, call: int, day: int
) -> VaultBounds:
    return VaultBounds(
        twap_window_s=window,
        max_deviation_ticks=deviation,
        min_width_ticks=width,
        max_move_ticks=move,
        cooldown_s=cooldown,
        max_loss_per_call_pips=call,
        max_loss_per_day_pips=day,
    )


def _signed(tick: int) -> int:
    """The tick in the lowest bits of a number."""
    low = tick & _TICK_MASK
    return low - (1 << _TICK_BITS) if low >> _TICK_BITS - 1 else low


def _checksummed(address: str) -> str:
    return to_checksum_address(address)


def _anybody(address: str) -> str | None:
    return None if address == NOBODY else to_checksum_address(address)

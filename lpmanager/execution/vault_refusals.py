"""What a vault's revert means, what follows from it, and how to say so to a person. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction

from lpmanager.abi import CustomError, revert_reason
from lpmanager.errors import ChainError
from lpmanager.model.token import decimal_text
from lpmanager.venues.liquidity_vault import ERRORS

#: Of the parts of 1e18 in which the vault counts losses, what is a ten-thousandth of a per cent.
_WAD_PER_SHOWN = 10**12


class Answer(StrEnum):
    """What follows from a refusal: a new plan in the next cycle, waiting until what it names has
    changed, stopping until a person has looked, or an error as any other."""

    RETRY = "retry"
    HOLD = "hold"
    HALT = "halt"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A revert as people read it. `name` is the contract's own word for it, "" where it has none;
    `sentence` says what, expected, found, and what follows."""

    name: str
    answer: Answer
    sentence: str


def refusal_of(data: bytes) -> Refusal:
    """What revert data of a vault's call means. What is not known is an error, never less."""
    error = _BY_SELECTOR.get(data[:4])
    if error is not None:
        answer, sentence = _BY_NAME[error.name]
        try:
            return _refusal(error.name, answer, sentence(*error.decode(data)))
        except (ChainError, OverflowError, ValueError) as wrong:
            return _refusal(error.name, Answer.ERROR, f"its arguments do not decode ({wrong})")
    return _from_elsewhere(data)


def _from_elsewhere(data: bytes) -> Refusal:
    """What the pool says, whose errors are short texts; or anybody else."""
    if not data:
        return _refusal("", Answer.ERROR, "it gave no reason, or the RPC left it out")
    reason = revert_reason(data)
    if reason in _POOLS:
        answer, sentence = _POOLS[reason]
        return _refusal(reason, answer, f"the pool says {reason}: {sentence}")
    return _refusal("", Answer.ERROR, f"for a reason that is not the vault's: {reason}")


def _refusal(name: str, answer: Answer, sentence: str) -> Refusal:
    return Refusal(name=name, answer=answer, sentence=sentence + _FOLLOWS[answer])


_FOLLOWS = {
    Answer.RETRY: "; the next cycle decides anew",
    Answer.HOLD: "; nothing is done until that has changed",
    Answer.HALT: "; look before you resume",
    Answer.ERROR: "",
}


def _always(sentence: str) -> Callable[..., str]:
    return lambda *_arguments: sentence


def _with(template: str) -> Callable[..., str]:
    return lambda *arguments: template.format(*arguments)


def _at(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _percent_up(wad: int) -> str:
    return f"{decimal_text(Fraction(-(-wad // _WAD_PER_SHOWN), 10**4))} %"


def _percent_down(wad: int) -> str:
    return f"{decimal_text(Fraction(wad // _WAD_PER_SHOWN, 10**4))} %"


_RAW = "raw units of token0 and token1"
_OWNERS_KEY = "check [owner] and the vault's address"

_BY_NAME: dict[str, tuple[Answer, Callable[..., str]]] = {
    # ---- the world moved on between the look and the call ----
    "WrongSeq": (
        Answer.RETRY,
        _with("another rebalance or an exit came first: the vault's next turn is {0} now"),
    ),
    "TooLate": (Answer.RETRY, lambda deadline: f"the plan's deadline {_at(deadline)} has passed"),
    "BurnedTooLittle": (
        Answer.RETRY,
        _with(f"the closed positions bring {{0}} and {{1}} ({_RAW}), below the plan's minimum"),
    ),
    "SwappedTooLittle": (
        Answer.RETRY,
        _with("the swap brings {0} raw units, below the plan's minimum"),
    ),
    "MintedTooLittle": (
        Answer.RETRY,
        _with(f"a new position takes {{0}} and {{1}} ({_RAW}), below the plan's minimum"),
    ),
    "NoLiquidity": (
        Answer.RETRY,
        _always("what is left for a new position is too little for any liquidity there"),
    ),
    # ---- the vault's bounds ----
    "IsPaused": (
        Answer.HOLD,
        _always("the vault is paused; its owner ends that by `lpm vault unpause`"),
    ),
    "TooSoon": (
        Answer.HOLD,
        lambda ready_at: f"the vault's cooldown lasts until {_at(ready_at)}",
    ),
    "PriceAway": (
        Answer.HOLD,
        _with("the pool's tick {0} is further from its average {1} than the vault's bounds allow"),
    ),
    "NoHistory": (
        Answer.HOLD,
        _with(
            "the pool's oracle does not reach back the {0} s that the vault averages over; anybody "
            "may let the pool remember more by increaseObservationCardinalityNext"
        ),
    ),
    "TooFar": (
        Answer.HOLD,
        _with(
            "the centre of the ranges would move from tick {1} to {0}, further than the vault's "
            "bounds allow at once"
        ),
    ),
    "TooNarrow": (
        Answer.HOLD,
        _with("range [{0}, {1}) is narrower than the vault's bounds allow"),
    ),
    "LossPerCall": (
        Answer.HOLD,
        lambda loss: (
            f"the rebalance would lose {_percent_up(loss)} of what the vault holds, more than its "
            "bounds allow one call"
        ),
    ),
    "LossPerDay": (
        Answer.HOLD,
        lambda loss, left: (
            f"the rebalance would lose {_percent_up(loss)} of what the vault holds, and its budget "
            f"of losses has {_percent_down(left)} left; it refills within a day"
        ),
    ),
    # ---- a fault of ours, or somebody at work ----
    "NotOperator": (
        Answer.HALT,
        _always(
            "the account is not the vault's operator; its owner has named another, or the "
            "configuration names another vault"
        ),
    ),
    "TransferFailed": (
        Answer.HALT,
        _with(
            "the vault could not transfer token {0}: it holds less than it should, or the token "
            "is frozen"
        ),
    ),
    "Reentered": (Answer.HALT, _always("the vault was called from inside a call of its own")),
    "NotPool": (Answer.HALT, _always("somebody else than the pool asked the vault to pay")),
    "NotInFlight": (Answer.HALT, _always("the pool asked for payment that the vault does not owe")),
    "BadRange": (
        Answer.HALT,
        _with("range [{0}, {1}) is inverted, off the pool's tick spacing or beyond its ends"),
    ),
    "NotHeld": (
        Answer.HALT,
        _with("the plan keeps ranges that the vault does not hold (bits {0:#b})"),
    ),
    "NoMinimum": (Answer.HALT, _always("the plan lacks a minimum")),
    "BadPriceLimit": (
        Answer.HALT,
        _with("the swap's price limit is not between {0} and {1} (sqrtPriceX96)"),
    ),
    "TooManyRanges": (Answer.HALT, _always("the vault would hold more ranges than it can")),
    # ---- the owner's own commands, and the constructor ----
    "NotOwner": (Answer.ERROR, _always(f"the account is not the vault's owner; {_OWNERS_KEY}")),
    "NotPendingOwner": (
        Answer.ERROR,
        _always("the account was not proposed as the vault's owner; the present one does that"),
    ),
    "NotGuardian": (
        Answer.ERROR,
        _always(f"the account is neither the vault's guardian nor its owner; {_OWNERS_KEY}"),
    ),
    "ZeroAddress": (Answer.ERROR, _always("the zero address can own nothing and receive nothing")),
    "PoolNotOfFactory": (
        Answer.ERROR,
        _with("pool {0} is not one that the configured factory made"),
    ),
    "BoundsTooLoose": (
        Answer.ERROR,
        _always(
            "the bounds are looser than the contract's own: twap_window and cooldown at least "
            "60 s, max_deviation at most 200 ticks, max_loss_per_day at most 5 %, "
            "max_loss_per_call at most max_loss_per_day"
        ),
    ),
    "TokenRefused": (
        Answer.ERROR,
        _with("token {0} takes a fee on transfer, or does not answer as an ERC-20 does"),
    ),
    "TokenUntestable": (
        Answer.ERROR,
        _with(
            "token {0} cannot be tried out: the pool holds next to nothing of it, or does not "
            "lend it"
        ),
    ),
}

#: What the pool itself says (the meanings: lpmanager/amm/reverts.py), or its helper for transfers.
_POOLS: dict[str, tuple[Answer, str]] = {
    "OLD": (Answer.HOLD, "its oracle does not reach back that far"),
    "I": (Answer.HOLD, "its oracle has no observation yet"),
    "LO": (Answer.HOLD, "a tick would carry more liquidity than the pool allows one tick"),
    "SPL": (Answer.RETRY, "the price has passed the swap's limit"),
    "LOK": (Answer.HALT, "it was called from inside a call of its own"),
    "IIA": (Answer.HALT, "a token did not arrive as it was sent"),
    "M0": (Answer.HALT, "token0 did not arrive as it was sent"),
    "M1": (Answer.HALT, "token1 did not arrive as it was sent"),
    "TF": (Answer.HALT, "it could not transfer a token; is the token frozen?"),
}

_BY_SELECTOR: dict[bytes, CustomError] = {error.selector: error for error in ERRORS}

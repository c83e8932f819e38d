"""Is the chain heard well enough to act on, and at a usual price? And are the tokens sound?"""

from __future__ import annotations

from statistics import median

from lpmanager.model import Gate, Snapshot, TokenCheck
from lpmanager.model.units import duration
from lpmanager.rebalancer.judging import Asked, gate_of, judged
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.missing import Missing

#: Fewer blocks than this have no usual base fee.
_FEWEST_BLOCKS = 10


def health_gates(snapshot: Snapshot, appetite: Appetite) -> tuple[Gate, ...]:
    """What is asked of tokens, RPCs and gas before tokens are placed or swapped.

    Nothing of a replay: there a market is read from a file.
    """
    tokens = _tokens(snapshot)
    if snapshot.health is None:
        return tokens
    return (*tokens, *_rpcs(snapshot, appetite), *_base_fee(snapshot, appetite))


def healthy_rpcs(snapshot: Snapshot) -> tuple[int, int] | Missing:
    """How many RPCs are in use, and how many there are."""
    health = snapshot.health
    if health is None:
        return Missing("no RPC is asked in a replay")
    return health.healthy_rpcs, health.rpcs


def base_fee_to_usual(snapshot: Snapshot) -> float | Missing:
    """The block's base fee over the median of the recent ones."""
    fees = None if snapshot.health is None else snapshot.health.base_fees
    if fees is None:
        return Missing(
            "the base fees of recent blocks were not told; max_base_fee_to_usual asks the RPC for "
            "them (eth_feeHistory)"
        )
    if len(fees) < _FEWEST_BLOCKS:
        return Missing(f"a usual base fee needs {_FEWEST_BLOCKS} blocks, found {len(fees)}")
    usual = median(fees)
    if usual <= 0:
        return Missing("the blocks of this chain have no base fee")
    return snapshot.block.base_fee / usual


def checked_ago(snapshot: Snapshot, check: TokenCheck) -> str:
    """How long before the snapshot its tokens were checked, in words: "10 min ago"."""
    # A reorganisation can put the snapshot's block before that of the check.
    return f"{duration(max(0, snapshot.block.timestamp - check.checked_at))} ago"


def _tokens(snapshot: Snapshot) -> tuple[Gate, ...]:
    """Asked of every campaign: what does not arrive in full is lost, and in no books."""
    check = snapshot.tokens
    if check is None:
        return ()
    asked = Asked(
        "tokens",
        "all that is sent",
        check.refused
        or f"what the pool lent of each token came and went, {checked_ago(snapshot, check)}",
    )
    sound = check.refused is None
    return (gate_of(asked, passed=sound, measured="all of it" if sound else "not all of it"),)


def _rpcs(snapshot: Snapshot, appetite: Appetite) -> tuple[Gate, ...]:
    least = appetite.min_healthy_rpcs
    if least is None:
        return ()
    asked = Asked("RPCs", str(least), "RPCs of the chain that did not fail several times in a row")

    def judge(found: tuple[int, int]) -> tuple[bool, str]:
        in_use, all_of_them = found
        return in_use >= least, f"{in_use} of {all_of_them}"

    return judged(asked, healthy_rpcs(snapshot), judge, appetite)


def _base_fee(snapshot: Snapshot, appetite: Appetite) -> tuple[Gate, ...]:
    most = appetite.max_base_fee_to_usual
    if most is None:
        return ()
    asked = Asked("base fee", f"{float(most):.2f} times", "over its median of the recent blocks")
    found = base_fee_to_usual(snapshot)
    return judged(asked, found, lambda ratio: (ratio <= most, f"{ratio:.2f} times"), appetite)

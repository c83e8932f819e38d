"""What is asked beyond the market before tokens are placed or swapped, never of taking them out."""

from __future__ import annotations

from fractions import Fraction

from lpmanager.model import Gate, Mint, Swap
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.cap_gates import cap_gates
from lpmanager.rebalancer.health_gates import health_gates
from lpmanager.rebalancer.peg_gates import peg_gates
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.appetite import Appetite


def takes_on(candidate: Candidate) -> bool:
    """Whether the candidate puts tokens into a range, or makes other tokens of them."""
    return any(isinstance(action, Mint | Swap) for action in candidate.actions)


def entry_gates(
    view: View, outlook: Outlook, candidate: Candidate, gas: Fraction, appetite: Appetite
) -> tuple[Gate, ...]:
    """Pegs, what all campaigns together hang on, and the health of the chain; `gas` in raw quote
    units."""
    return (
        *peg_gates(view, appetite),
        *cap_gates(view, outlook, candidate, gas, appetite),
        *health_gates(view.snapshot, appetite),
    )

"""One step of a swap in the compiled engine against the same step in Python's integers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba import njit

from lpmanager.amm import MAX_SQRT_PRICE, MIN_SQRT_PRICE, compute_swap_step, sqrt_price_at_tick
from lpmanager.amm.fast import step
from lpmanager.amm.fast.packing import from_limbs, limbs_of
from lpmanager.model import Liquidity, SqrtPriceX96


@njit
def compiled(
    price: Any, target: Any, liquidity: Any, remaining: Any, exact_in: Any, down: Any, fee: Any
) -> Any:
    terms = step.fee_terms(fee)
    return step.step_towards(price, target, liquidity, remaining, exact_in, down, terms)


class Step(NamedTuple):
    price: int
    target: int
    liquidity: int
    remaining: int
    fee_pips: int

    def compiled(self) -> tuple[int, ...]:
        done = compiled(
            limbs_of(self.price, 3),
            limbs_of(self.target, 3),
            limbs_of(self.liquidity, 2),
            limbs_of(abs(self.remaining), 4),
            self.remaining > 0,
            self.price >= self.target,
            self.fee_pips,
        )
        return tuple(from_limbs(np.array([wide], dtype=np.uint64))[0] for wide in done)

    def in_python(self) -> tuple[int, ...]:
        return compute_swap_step(
            SqrtPriceX96(self.price),
            SqrtPriceX96(self.target),
            Liquidity(self.liquidity),
            self.remaining,
            self.fee_pips,
        )


def of_any_length(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, bits).flatmap(lambda b: st.integers(0, 2**b - 1))


#: Every price a pool can have, as likely at one length as at another.
a_price = st.one_of(
    st.floats(32, 160).map(lambda d: min(max(int(2**d), MIN_SQRT_PRICE), MAX_SQRT_PRICE - 1)),
    st.integers(MIN_SQRT_PRICE, MAX_SQRT_PRICE - 1),
)
a_fee = st.sampled_from([0, 1, 100, 500, 3_000, 10_000, 500_000, 999_999])


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Far and near targets, and amounts from one unit to all that an int256 holds."""
    price = draw(a_price)
    near = st.integers(-(price >> 8), price >> 8).map(
        lambda d: min(max(price + d, MIN_SQRT_PRICE), MAX_SQRT_PRICE - 1)
    )
    target = draw(st.one_of(a_price, near))
    liquidity, fee_pips = draw(of_any_length(128)), draw(a_fee)
    full = Step(price, target, liquidity, draw(st.sampled_from([1, -1])) << 255, fee_pips)
    _, amount_in, amount_out, fee = full.in_python()
    to_target = -amount_out if full.remaining < 0 else amount_in + fee
    remaining = draw(
        st.one_of(
            # what reaches the target, what just misses it, and a part of it
            st.integers(-2, 2).map(lambda d: to_target + d),
            st.integers(0, 1000).map(lambda part: to_target * part // 1000),
            of_any_length(255),
            of_any_length(255).map(lambda amount: -amount),
        )
    )
    return full._replace(remaining=remaining or 1)


@settings(max_examples=2_000)
@given(steps())
@example(Step(2**96, 2**96, 0, 1, 3_000))
@example(Step(MAX_SQRT_PRICE - 1, MIN_SQRT_PRICE, 2**128 - 1, 2**255 - 1, 999_999))
@example(Step(MIN_SQRT_PRICE, MAX_SQRT_PRICE - 1, 2**128 - 1, -(2**255), 999_999))
# the product of input and price does not fit 256 bits, so the contract takes a coarser quotient
@example(Step(MAX_SQRT_PRICE - 1, MIN_SQRT_PRICE, 2**128 - 1, 2**130, 3_000))
@example(Step(2**150, 2**40, 2**127, 2**106, 500))
# the product of both prices does not fit 256 bits
@example(Step(2**140, 2**130, 2**100, -(2**60), 500))
@example(Step(2**130, 2**140, 2**100, 2**60, 500))
def test_a_step_is_the_same_as_in_whole_numbers(one: Step) -> None:
    assert one.compiled() == one.in_python()


@pytest.mark.parametrize("liquidity", [1, 10**18, 2**127])
@pytest.mark.parametrize("spacing", [1, 60])
@pytest.mark.parametrize("upwards", [False, True])
@pytest.mark.parametrize("exact_output", [False, True])
def test_amounts_on_both_sides_of_the_one_that_reaches_the_target(
    liquidity: int, spacing: int, upwards: bool, exact_output: bool
) -> None:
    ends = sqrt_price_at_tick(-spacing), sqrt_price_at_tick(spacing)
    price, target = ends if upwards else ends[::-1]
    most = Step(price, target, liquidity, -(2**255) if exact_output else 2**255 - 1, 3_000)
    _, amount_in, amount_out, fee = most.in_python()
    reaching = -amount_out if exact_output else amount_in + fee
    for beside in range(-3, 4):
        if reaching + beside:
            one = most._replace(remaining=reaching + beside)
            assert one.compiled() == one.in_python()

"""The result of a campaign, told apart into terms that are each measured on their own. Pure.

    nav_end - nav_start - net_deposits
        = hodl + impermanent_loss + fees - swap_cost - gas + hedge - rounding

All terms are raw units of the quote token, valued at the pool's price of the closing snapshot;
deposits, and the mid price of each swap, at the price of their own time. NAV is what the chain
holds for the campaign, less the native coin spent on gas. Every price is one of
`lpmanager.model.price`, whose decimals end, so the terms add up exactly, to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from lpmanager.errors import ConfigError
from lpmanager.inventory.holdings import Holdings
from lpmanager.model import (
    Amount,
    Amounts,
    Deposit,
    PoolKey,
    Price,
    Snapshot,
    SqrtPriceX96,
    SwapPurpose,
    Token,
)
from lpmanager.model.token import decimal_text


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapRecord:
    """One of our swaps: what the wallet gained (positive) and paid, and the price before it."""

    purpose: SwapPurpose
    delta: Amounts
    sqrt_price_before_x96: SqrtPriceX96


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """Our swaps of one purpose together, each as `split_swap` tells it.

    Raw base units that came in, the raw quote units they were worth then with the opposite sign,
    and what the swaps cost.
    """

    base_raw: int = 0
    fair: Fraction = Fraction(0)
    cost: Fraction = Fraction(0)

    def __add__(self, other: Exchanged) -> Exchanged:
        return Exchanged(
            base_raw=self.base_raw + other.base_raw,
            fair=self.fair + other.fair,
            cost=self.cost + other.cost,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """What the books say happened since the campaign began, as seen by the wallet and positions:
    positive came in. `swaps` of a purpose that there were none of may be absent."""

    deposits: tuple[Deposit, ...]
    pool_exchange: Amounts
    fees: Amounts
    rounding: Amounts
    swaps: Mapping[SwapPurpose, Exchanged]
    gas: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The terms of the identity, in raw quote units, and the price they are valued at.

    `impermanent_loss` is normally negative; costs are positive and subtracted. `hodl_value` is
    what the deposits would be worth now.
    """

    price: Price
    nav_start: Fraction
    nav_end: Fraction
    net_deposits: Fraction
    hodl: Fraction
    impermanent_loss: Fraction
    fees: Fraction
    swap_cost: Fraction
    gas: Fraction
    hedge: Fraction
    rounding: Fraction
    hodl_value: Fraction

    @property
    def identity_error(self) -> Fraction:
        """Left side minus right side; anything but 0 means that the books are wrong."""
        left = self.nav_end - self.nav_start - self.net_deposits
        right = (
            self.hodl
            + self.impermanent_loss
            + self.fees
            - self.swap_cost
            - self.gas
            + self.hedge
            - self.rounding
        )
        return left - right

    def in_quote(self) -> dict[str, str]:
        """Every term and the identity's error as exact decimals of whole quote tokens."""
        whole = Fraction(1, 10**self.price.quote.decimals)
        terms = {name: getattr(self, name) * whole for name in self.__slots__ if name != "price"}
        terms["identity_error"] = self.identity_error * whole
        return {name: decimal_text(value) for name, value in terms.items()}


def result_of(flows: Flows, holdings: Holdings, snapshot: Snapshot) -> Result:
    """The result from the campaign's beginning to a snapshot.

    `holdings` are read from that snapshot, not from the books. Raises ValueError before the first
    deposit, and ConfigError where gas was paid and nothing prices the native coin.
    """
    if not flows.deposits:
        raise ValueError("the campaign has no first deposit yet")
    price, pool, quote = snapshot.price, snapshot.pool, snapshot.quote

    def then(sqrt_price_x96: SqrtPriceX96) -> Price:
        return pool.price(quote, sqrt_price_x96)

    dated = [then(d.sqrt_price_x96).value(d.amounts) for d in flows.deposits]
    hodl_value = sum((price.value(d.amounts) for d in flows.deposits), Fraction(0))
    swaps = {purpose: flows.swaps.get(purpose, Exchanged()) for purpose in SwapPurpose}
    exchanged = {
        purpose: swapped.base_raw * price.ratio + swapped.fair for purpose, swapped in swaps.items()
    }
    gas = _gas_value(flows.gas, snapshot)
    return Result(
        price=price,
        nav_start=dated[0],
        nav_end=price.value(holdings.total) - gas,
        net_deposits=sum(dated[1:], Fraction(0)),
        hodl=hodl_value - sum(dated),
        impermanent_loss=price.value(flows.pool_exchange) + exchanged[SwapPurpose.RERANGE],
        fees=price.value(flows.fees),
        swap_cost=sum((swapped.cost for swapped in swaps.values()), Fraction(0)),
        gas=gas,
        hedge=exchanged[SwapPurpose.HEDGE],
        rounding=price.value(flows.rounding),
        hodl_value=hodl_value,
    )


def split_swap(delta: Amounts, price_before: Price) -> tuple[Amount, Fraction, Fraction]:
    """A swap as an exchange at the price just before it, and what it cost against that.

    Gives the base token moved, the raw quote units it was worth then (with the opposite sign),
    and the cost in raw quote units: the pool's fee and the price impact together.
    """
    base, quote = (
        (delta.amount0, delta.amount1)
        if delta.amount0.token == price_before.base
        else (delta.amount1, delta.amount0)
    )
    fair = -base.raw * price_before.ratio
    return base, fair, fair - quote.raw


def with_swap(
    swaps: Mapping[SwapPurpose, Exchanged], one: SwapRecord, pool: PoolKey, quote: Token
) -> dict[SwapPurpose, Exchanged]:
    """The sums with one swap more, at the pool's price just before it."""
    base, fair, cost = split_swap(one.delta, pool.price(quote, one.sqrt_price_before_x96))
    before = swaps.get(one.purpose, Exchanged())
    return {**swaps, one.purpose: before + Exchanged(base_raw=base.raw, fair=fair, cost=cost)}


def total_cost(swaps: Iterable[SwapRecord], snapshot: Snapshot) -> Fraction:
    """What swaps cost together, in raw quote units, each at the price just before it."""
    return sum(
        (
            split_swap(s.delta, snapshot.pool.price(snapshot.quote, s.sqrt_price_before_x96))[2]
            for s in swaps
        ),
        Fraction(0),
    )


def _gas_value(gas: Amount, snapshot: Snapshot) -> Fraction:
    if gas.raw == 0:
        return Fraction(0)
    if snapshot.native_price is None:
        raise ConfigError(
            "native_pool: missing; gas was paid, and nothing else prices the native coin"
        )
    return snapshot.native_price.value_of(gas)

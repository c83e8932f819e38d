"""An account and its positions on paper: moves as the contracts would, without a chain.

Prices go where a test sends them and fees are given, so that no error of a pool simulator can
hide an error of the books.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from builders import ACCOUNT, CHAIN_ID, a_position, a_snapshot, a_step, price_at

from lpmanager.amm import (
    amounts_for_liquidity_down,
    amounts_for_liquidity_up,
    liquidity_for_amounts_down,
    principal_down,
    uncollected_fees,
)
from lpmanager.model import (
    Amounts,
    Collected,
    Liquidity,
    Minted,
    PoolKey,
    Position,
    Snapshot,
    SqrtPriceX96,
    Step,
    Swapped,
    SwapPurpose,
    TickRange,
    Token,
    VaultState,
    Withdrawn,
)
from lpmanager.model.outcome import Fact
from lpmanager.venues.liquidity_vault import position_id

Q128 = 2**128
GAS_OF_A_STEP = 21_000 * 10**9


@dataclass
class PaperAccount:
    """Every move takes one block. `short` raw units are missing when fees are paid, as where
    several NFTs share a range. With a `vault` it holds the wallet and the positions; the signer
    pays the gas, and its positions are ranges."""

    pool: PoolKey
    quote: Token
    wallet: Amounts
    sqrt_price_x96: SqrtPriceX96 = field(default_factory=lambda: price_at(0))
    native: int = 10**18
    nonce: int = 0
    block: int = 100
    last_id: int = 1000
    signer: str = ACCOUNT
    vault: VaultState | None = None
    positions: dict[int, Position] = field(default_factory=dict)
    came: list[tuple[int, Amounts]] = field(default_factory=list)

    def snapshot(self) -> Snapshot:
        return a_snapshot(
            block=self.block,
            sqrt_price_x96=self.sqrt_price_x96,
            positions=tuple(self.positions.values()),
            wallet=self.wallet.raw,
            native=self.native,
            nonce=self.nonce,
            pool=self.pool,
            quote=self.quote,
            account=self.signer,
            vault=self.vault,
        )

    def adopt(self, position: Position) -> None:
        self.positions[position.token_id] = position

    def price_moves_to(self, tick: int) -> None:
        self.block += 1
        self.sqrt_price_x96 = price_at(tick)

    def earns(self, token_id: int, growth0_x128: int, growth1_x128: int) -> None:
        """Fees grow inside a position's range, per unit of liquidity."""
        self.block += 1
        position = self.positions[token_id]
        self.positions[token_id] = replace(
            position,
            fee_growth_inside0_x128=position.fee_growth_inside0_x128 + growth0_x128,
            fee_growth_inside1_x128=position.fee_growth_inside1_x128 + growth1_x128,
        )

    def receives(self, moved: Amounts) -> None:
        """The owner sends tokens, or (negative) takes some."""
        self.block += 1
        self.wallet += moved
        self.came.append((self.block, moved))

    # ---- what the owner does by hand ----

    def owner_opens(self, tick_range: TickRange, offered: Amounts) -> int:
        """The id of a position that the owner mints from the wallet."""
        price = self.sqrt_price_x96
        liquidity = liquidity_for_amounts_down(price, tick_range, *offered.raw)
        self.last_id += 1
        self.adopt(a_position(str(tick_range), token_id=self.last_id, liquidity=0))
        self.owner_adds(self.last_id, liquidity)
        return self.last_id

    def owner_adds(self, token_id: int, liquidity: int) -> None:
        position = self._with_fees_owed(token_id)
        paid = amounts_for_liquidity_up(self.sqrt_price_x96, position.range, Liquidity(liquidity))
        self._resize(position, liquidity)
        self._owner_acts(-self.pool.amounts(*paid))

    def owner_takes_out(self, token_id: int, liquidity: int) -> None:
        """What is taken out of the pool is owed to the NFT until it is collected."""
        position = self._with_fees_owed(token_id)
        price, taken = self.sqrt_price_x96, Liquidity(liquidity)
        raw0, raw1 = amounts_for_liquidity_down(price, position.range, taken)
        owed = replace(
            position,
            tokens_owed0=position.tokens_owed0 + raw0,
            tokens_owed1=position.tokens_owed1 + raw1,
        )
        self._resize(owed, -liquidity)
        self._owner_acts(self.pool.amounts(0, 0))

    def owner_collects(self, token_id: int) -> None:
        """All that is owed; an NFT without liquidity holds nothing then."""
        position = self._with_fees_owed(token_id)
        owed = self.pool.amounts(position.tokens_owed0, position.tokens_owed1)
        self._resize(replace(position, tokens_owed0=0, tokens_owed1=0), 0)
        if not position.liquidity:
            del self.positions[token_id]
        self._owner_acts(owed)

    def owner_closes(self, token_id: int) -> None:
        self.owner_takes_out(token_id, self.positions[token_id].liquidity)
        self.owner_collects(token_id)

    def owner_gives_away(self, token_id: int) -> Position:
        """The NFT of a position, with all that is in it."""
        self._owner_acts(self.pool.amounts(0, 0))
        return self.positions.pop(token_id)

    def owner_spends(self, wei: int) -> None:
        """Native coin, in a transaction that pays for its own gas out of that."""
        self.block += 1
        self.nonce += 1
        self.native -= wei

    def _with_fees_owed(self, token_id: int) -> Position:
        position = self.positions[token_id]
        fees0, fees1 = uncollected_fees(position)
        return replace(
            position,
            fee_growth_inside0_last_x128=position.fee_growth_inside0_x128,
            fee_growth_inside1_last_x128=position.fee_growth_inside1_x128,
            tokens_owed0=fees0,
            tokens_owed1=fees1,
        )

    def _resize(self, position: Position, by: int) -> None:
        self.adopt(replace(position, liquidity=Liquidity(position.liquidity + by)))

    def _owner_acts(self, came: Amounts) -> None:
        self.owner_spends(GAS_OF_A_STEP)
        self.wallet += came
        self.came.append((self.block, came))

    def outside_transfers(self, first: int, last: int, _ours: frozenset[str]) -> Amounts:
        found = (moved for block, moved in self.came if first <= block <= last)
        return sum(found, start=self.pool.amounts(0, 0))

    # ---- what the program does ----

    def mints(self, tick_range: TickRange, offered: Amounts) -> Step:
        return self.step(self.minting(tick_range, offered))

    def withdraws(self, token_id: int, short: int = 0) -> Step:
        return self.step(self.withdrawing(token_id, short))

    def collects(self, token_id: int, short: int = 0) -> Step:
        return self.step(self.collecting(token_id, short))

    def swaps(self, purpose: SwapPurpose, delta: Amounts, tick_after: int) -> Step:
        return self.step(self.swapping(purpose, delta, tick_after))

    def approves(self) -> Step:
        return self.step()

    def step(self, *facts: Fact) -> Step:
        """One transaction that did all this."""
        self.block += 1
        self.nonce += 1
        self.native -= GAS_OF_A_STEP
        return a_step(*facts, block=self.block, gas=GAS_OF_A_STEP, tx=self.block)

    def minting(self, tick_range: TickRange, offered: Amounts) -> Minted:
        price = self.sqrt_price_x96
        liquidity = liquidity_for_amounts_down(price, tick_range, *offered.raw)
        paid = self.pool.amounts(*amounts_for_liquidity_up(price, tick_range, liquidity))
        principal = self.pool.amounts(*amounts_for_liquidity_down(price, tick_range, liquidity))
        token_id = self._new_id(tick_range)
        self.positions[token_id] = a_position(
            str(tick_range), token_id=token_id, liquidity=liquidity
        )
        self.wallet -= paid
        return Minted(
            token_id=token_id,
            range=tick_range,
            liquidity=liquidity,
            paid=paid,
            principal=principal,
            sqrt_price_x96=price,
        )

    def withdrawing(self, token_id: int, short: int = 0) -> Withdrawn:
        position = self.positions.pop(token_id)
        principal = self.pool.amounts(*principal_down(position, self.sqrt_price_x96))
        fees = self._paid_fees(position, short)
        self.wallet += principal + fees
        return Withdrawn(token_id=token_id, principal=principal, fees=fees)

    def collecting(self, token_id: int, short: int = 0) -> Collected:
        position = self.positions[token_id]
        fees = self._paid_fees(position, short)
        self.positions[token_id] = replace(
            position,
            fee_growth_inside0_last_x128=position.fee_growth_inside0_x128,
            fee_growth_inside1_last_x128=position.fee_growth_inside1_x128,
            tokens_owed0=0,
            tokens_owed1=0,
        )
        self.wallet += fees
        return Collected(token_id=token_id, fees=fees)

    def swapping(self, purpose: SwapPurpose, delta: Amounts, tick_after: int) -> Swapped:
        before, self.sqrt_price_x96 = self.sqrt_price_x96, price_at(tick_after)
        self.wallet += delta
        return Swapped(purpose=purpose, delta=delta, sqrt_price_before_x96=before)

    def _new_id(self, tick_range: TickRange) -> int:
        if self.vault is not None:
            return position_id(self.vault.address, tick_range)
        self.last_id += 1
        return self.last_id

    def _paid_fees(self, position: Position, short: int) -> Amounts:
        return self.pool.amounts(*(max(0, raw - short) for raw in uncollected_fees(position)))


def an_account(
    wallet: tuple[int, int] = (10**12, 10**12),
    *,
    pool: PoolKey,
    quote: Token | None = None,
    vault: VaultState | None = None,
) -> PaperAccount:
    assert pool.token0.chain_id == CHAIN_ID
    return PaperAccount(
        pool=pool, quote=quote or pool.token0, wallet=pool.amounts(*wallet), vault=vault
    )

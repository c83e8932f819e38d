"""What campaigns of one store tell each other, and that it moves them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders import (
    USDC,
    WETH,
    a_block,
    a_limits,
    a_market,
    a_pool,
    a_position,
    a_token,
    an_outlook,
)
from empty_store import an_empty_ledger
from order_flow_builders import a_swap, after
from paper_account import PaperAccount, an_account
from sqlalchemy import text

from lpmanager.bookkeeping import Bookkeeper
from lpmanager.cycle import Campaign, observe, run_cycle
from lpmanager.errors import StoreError
from lpmanager.ledger.database import writing
from lpmanager.ledger.neighbours import Neighbourhood
from lpmanager.ledger.store import Ledger
from lpmanager.model import Decision, Hold, PoolKey, Snapshot, Withdraw
from lpmanager.rebalancer import decide
from lpmanager.rebalancer.policies import FixedWidth
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.contagion.depeg import Peg
from lpmanager.risk.contagion.neighbours import Loan

USDT = a_token("USDT", 6, 5)
ETHER, STABLE = a_pool(USDC, WETH), a_pool(USDC, USDT, 0xF1)
NAMES = frozenset({"ether", "stable"})
PEG = Peg(token="USDC", against="USDT", value=1.0, tolerance=0.01, for_s=600)
LOAN = Loan(lender="Aave", token="USDC", amount=5.0)
RANGE = a_position("[-600, 600)", liquidity=10**13)
LAST = 160


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = an_empty_ledger(tmp_path / "books.db")
    yield ledger
    ledger.engine.dispose()


def neighbourhood(ledger: Ledger, name: str, names: frozenset[str] = NAMES) -> Neighbourhood:
    return Neighbourhood(ledger.engine, name, names - {name}, {"USDC": "Circle"}, (PEG,), (LOAN,))


def a_campaign(ledger: Ledger, name: str, account: PaperAccount, seen: Snapshot) -> Campaign:
    """A dry campaign that finds its account in the market that was `seen`."""

    def read() -> Snapshot:
        held = account.snapshot()
        return replace(seen, positions=held.positions, wallet=held.wallet)

    return Campaign(
        name=name,
        read=read,
        block_hash=lambda height: a_block(height).hash,
        policy=FixedWidth(half_width_ticks=600),
        limits=a_limits(appetite=Appetite(leave_on_depeg=True)),
        books=Bookkeeper(
            name,
            ledger,
            account.signer,
            None,
            account.outside_transfers,
            neighbourhood=neighbourhood(ledger, name),
        ),
        custody=None,
    )


def an_owner(pool: PoolKey, number: int) -> PaperAccount:
    """An account of its own, with a range around a tick of 0."""
    account = an_account((10**9, 10**9), pool=pool)
    account.signer = f"0x{number:040x}"
    account.block = LAST
    account.adopt(replace(RANGE, token_id=number))
    return account


def traded(pool: PoolKey, ticks: dict[int, int]) -> Snapshot:
    """A pool in which swaps left the price at these ticks, at these of its blocks."""
    tick = list(ticks.values())[-1]
    swaps = [a_swap(block, tick=each) for block, each in ticks.items()]
    seen = after(swaps, last_block=LAST, tick=tick)
    market = a_market(pool=pool, tick=tick, positions=(RANGE,))
    now = seen.block.timestamp
    return replace(market, block=seen.block, read_at=now, flow=seen.flow)


#: Nobody knows more of ether than that it trades, and moves within five minutes: the price of USDC
#: in it tells no peg.
BUSY = {block: block // 20 % 2 for block in range(1, LAST + 1)}


@pytest.mark.parametrize(("tick", "acts"), [(-200, [Withdraw]), (-50, None)], ids=["off", "held"])
def test_a_depeg_in_one_pool_takes_out_every_campaign_that_shares_the_token(
    ledger: Ledger, tick: int, acts: list[type] | None
) -> None:
    """The campaign of USDC and USDT sees it; the one of USDC and ether cannot, and leaves."""
    ether = a_campaign(ledger, "ether", an_owner(ETHER, 0xE), traded(ETHER, BUSY))
    stable = a_campaign(ledger, "stable", an_owner(STABLE, 0x5), traded(STABLE, {40: tick}))
    observe(stable)
    decision = run_cycle(ether).decision
    if acts is None:
        assert isinstance(decision, Hold), decision
        assert "near enough" in decision.reason
    else:
        assert not isinstance(decision, Hold), decision
        assert [type(action) for action in decision.actions] == acts
        assert "USDC is off its peg to USDT, says stable" in decision.reason


def test_before_the_other_campaign_was_ever_seen_nothing_is_known_of_it(ledger: Ledger) -> None:
    ether = a_campaign(ledger, "ether", an_owner(ETHER, 0xE), traded(ETHER, BUSY))
    around = observe(ether).surroundings
    assert (around.neighbours, around.unseen) == ((), ("stable",))
    assert around.pegs == (PEG,)
    assert around.issuers == {"USDC": "Circle"}
    assert around.loans == (LOAN,)


def test_what_is_told_comes_back_as_it_was_and_the_newest_counts(ledger: Ledger) -> None:
    account = an_owner(STABLE, 0x5)
    stable = a_campaign(ledger, "stable", account, traded(STABLE, {40: -200}))
    observe(stable)
    account.receives(STABLE.amounts(10**9, 0))
    account.block = LAST
    (told,) = neighbourhood(ledger, "ether").surroundings().neighbours
    assert (told.campaign, told.pool) == ("stable", "USDC/USDT 0.05% on chain 31337")
    assert (told.base, told.quote, told.chain_id) == ("USDT", "USDC", 31337)
    assert (told.base_address, told.quote_address) == (USDT.address, USDC.address)
    assert told.price == pytest.approx(1.0001**200)
    assert (told.idle_base, told.idle_quote) == (1_000, 1_000)
    assert told.pooled_quote > told.pooled_base > 0
    assert told.pegs == {"USDC": True}
    later = traded(STABLE, {40: -200})
    later = replace(later, block=replace(later.block, timestamp=later.block.timestamp + 12))
    observe(a_campaign(ledger, "stable", an_owner(STABLE, 0x5), later))
    (newer,) = neighbourhood(ledger, "ether").surroundings().neighbours
    assert newer.seen_at == told.seen_at + 12


def test_a_campaign_that_is_configured_no_more_does_not_count(ledger: Ledger) -> None:
    observe(a_campaign(ledger, "stable", an_owner(STABLE, 0x5), traded(STABLE, {40: 0})))
    alone = neighbourhood(ledger, "ether", frozenset({"ether"})).surroundings()
    assert (alone.neighbours, alone.unseen) == ((), ())


def test_a_campaign_that_is_alone_tells_nobody(ledger: Ledger) -> None:
    account = an_owner(STABLE, 0x5)
    stable = a_campaign(ledger, "stable", account, traded(STABLE, {40: 0}))
    record = stable.books.bring_up_to(stable.read())
    with writing(ledger.engine) as connection:
        connection.execute(text("delete from neighbours"))
    neighbourhood(ledger, "stable", frozenset({"stable"})).tell(stable.read(), record)
    assert neighbourhood(ledger, "ether").surroundings().unseen == ("stable",)


@pytest.mark.parametrize(
    "damage",
    [
        "price = 0",
        "price = 'much'",
        "idle_base = -1",
        "pegs = '{\"USDC\": 1}'",
        "pegs = '[true]'",
        "pegs = '{'",
    ],
)
def test_what_rotted_in_the_store_is_an_error_until_it_is_told_anew(
    ledger: Ledger, damage: str
) -> None:
    stable = a_campaign(ledger, "stable", an_owner(STABLE, 0x5), traded(STABLE, {40: 0}))
    observe(stable)
    with writing(ledger.engine) as connection:
        connection.execute(text(f"update neighbours set {damage}"))
    other = neighbourhood(ledger, "ether")
    with pytest.raises(StoreError, match="its next cycle writes it anew"):
        other.surroundings()
    observe(stable)
    assert other.surroundings().unseen == ()


def decided_without_store(snapshot: Snapshot) -> Decision:
    """What the desk decides where nobody told it of others."""
    account = an_owner(ETHER, 0xE)
    books = Bookkeeper(
        "ether", Ledger.open("sqlite://"), account.signer, None, account.outside_transfers
    )
    campaign = a_campaign(Ledger.open("sqlite://"), "ether", account, snapshot)
    view = observe(replace(campaign, books=books))
    assert view.surroundings.neighbours == ()
    return decide("ether", replace(view, outlook=an_outlook()), campaign.policy, a_limits())


def test_books_without_neighbours_decide_as_ever() -> None:
    assert isinstance(decided_without_store(traded(ETHER, BUSY)), Hold)

"""Several RPCs as one: what is believed, who is asked, and what is never repeated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import stamina
from builders import CHAIN_ID, a_block

from lpmanager.chain.breaker import Breaker, BreakerState
from lpmanager.chain.node import Node, Question
from lpmanager.chain.providers import Provider, Providers, Terms
from lpmanager.chain.transport import RpcError
from lpmanager.errors import (
    CallReverted,
    ChainError,
    ClockDrift,
    MaybeSent,
    RpcUnavailable,
    WrongChain,
)
from lpmanager.model import Block

AGE = 36
AHEAD = 5
WHO = Question("who", [], str)


@dataclass
class Rpc:
    """An RPC that tells its name when asked for it, and can be told to misbehave.

    `taller` is how much higher than it is it says that its head is, `later` of how much later.
    """

    name: str
    height: int = 100
    chain_id: int = CHAIN_ID
    fork: int | None = None
    taller: int = 0
    later: int = 0
    silent: bool = False
    refuses: RpcError | None = None
    asked: list[str] = field(default_factory=list)

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        self.asked += [method for method, _ in requests]
        if self.silent:
            raise RpcUnavailable(f"{self.name}: no answer (Timeout)")
        return [self._answer(method, params) for method, params in requests]

    def _answer(self, method: str, params: list[Any]) -> Any:
        if method == "eth_chainId":
            return hex(self.chain_id)
        if method == "eth_getBlockByNumber":
            return self._head() if params[0] == "latest" else self._block(int(params[0], 16))
        return self.refuses or self.name

    def _head(self) -> Any:
        head = self._block(self.height)
        number, timestamp = int(head["number"], 16), int(head["timestamp"], 16)
        made_up = {"hash": "0x" + self.name * 64} if self.taller else {}
        changes = {"number": hex(number + self.taller), "timestamp": hex(timestamp + self.later)}
        return head | changes | made_up

    def _block(self, number: int) -> Any:
        if number > self.height:
            return None
        block = a_block(number)
        mine = self.fork is not None and number >= self.fork
        return {
            "number": hex(number),
            "hash": "0x" + self.name * 64 if mine else block.hash,
            "timestamp": hex(block.timestamp),
        }

    def count(self, method: str) -> int:
        return self.asked.count(method)


@dataclass
class Bench:
    """RPCs a, b, c as one, and the clocks they are judged by."""

    rpcs: list[Rpc]
    quorum: int
    genesis: str | None = None
    now: int = a_block(100).timestamp + 10
    monotonic: float = 0.0
    most_ahead_s: int | None = AHEAD

    def __post_init__(self) -> None:
        self.breakers = [Breaker(lambda: self.monotonic) for _ in self.rpcs]
        terms = Terms(
            chain_id=CHAIN_ID,
            genesis=self.genesis,
            quorum=self.quorum,
            clock=lambda: self.now,
            max_head_age_s=AGE,
            most_ahead_s=self.most_ahead_s,
            lag_blocks=2,
            patience_s=10,
        )
        self.providers = Providers(
            [
                Provider(name=rpc.name, transport=rpc, breaker=breaker)
                for rpc, breaker in zip(self.rpcs, self.breakers, strict=True)
            ],
            terms,
        )
        self.node = Node(self.providers, CHAIN_ID, self.providers.head)

    def head(self) -> Block:
        return self.node.head()

    def reader(self) -> str:
        """Who answers what is read."""
        return self.node.ask(WHO)


def bench(*rpcs: Rpc, quorum: int = 1) -> Bench:
    return Bench(list(rpcs), quorum)


@pytest.fixture(autouse=True)
def _without_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


def test_of_one_the_head_and_all_else_is_read() -> None:
    it = bench(Rpc("a"))
    assert it.head() == replace(a_block(100), base_fee=0)
    assert it.reader() == "a"


def test_nothing_is_read_before_an_rpc_agreed_on_a_head_of_the_chain() -> None:
    it = bench(Rpc("a", chain_id=1))
    with pytest.raises(WrongChain, match="a serves chain 1, the configuration says 31337"):
        it.node.check_chain()
    assert it.rpcs[0].count("who") == 0


def test_an_rpc_whose_chain_began_with_another_block_is_not_believed() -> None:
    it = Bench([Rpc("a", fork=0), Rpc("b")], quorum=1, genesis=a_block(0).hash)
    assert it.head().hash == a_block(100).hash
    assert it.reader() == "b"
    alone = Bench([Rpc("a", fork=0)], quorum=1, genesis=a_block(0).hash)
    with pytest.raises(WrongChain, match=rf"a: the chain's first block was {a_block(0).hash}"):
        alone.head()


@pytest.mark.parametrize("foreign", [Rpc("a", fork=0), Rpc("a", chain_id=1)])
def test_an_rpc_of_another_chain_is_asked_once_and_then_left_alone(foreign: Rpc) -> None:
    it = Bench([foreign, Rpc("b")], quorum=1, genesis=a_block(0).hash)
    for _ in range(3):
        it.head()
    assert foreign.count("eth_chainId") == 1


@pytest.mark.parametrize("late", [AGE + 1, 10_000])
def test_an_old_head_is_no_data(late: int) -> None:
    it = bench(Rpc("a"))
    it.now = a_block(100).timestamp + late
    with pytest.raises(ChainError, match=f"a: its newest block 100 is {late} s old"):
        it.head()


@pytest.mark.parametrize("ahead", [AHEAD + 1, 10_000])
def test_a_head_of_the_future_says_that_our_clock_is_behind(ahead: int) -> None:
    it = bench(Rpc("a"))
    it.now = a_block(100).timestamp - ahead
    with pytest.raises(ClockDrift, match=f"a: .* found 100 of {ahead} s ahead; .*NTP") as raised:
        it.head()
    assert raised.value.head_at == a_block(100).timestamp


def test_one_of_three_that_tells_of_the_future_is_left_out() -> None:
    it = bench(Rpc("a", height=103), Rpc("b"), Rpc("c"), quorum=2)
    it.now = a_block(101).timestamp
    assert (it.head().number, it.reader()) == (100, "b")


def test_where_as_many_as_must_agree_tell_of_the_future_it_is_our_clock() -> None:
    it = bench(Rpc("a", height=103), Rpc("b", height=104), Rpc("c"), quorum=2)
    it.now = a_block(101).timestamp
    with pytest.raises(ClockDrift):
        it.head()


def test_a_chain_that_does_not_keep_the_time_of_day_may_be_ahead_as_far_as_behind() -> None:
    it = Bench([Rpc("a")], quorum=1, now=a_block(100).timestamp - AGE, most_ahead_s=None)
    assert it.head().number == 100
    it.now -= 1
    with pytest.raises(ChainError, match=f"a: its newest block 100 is -{AGE + 1} s old"):
        it.head()


@pytest.mark.parametrize("late", [AGE, 0, -AHEAD])
def test_a_head_as_old_as_is_accepted_is_accepted(late: int) -> None:
    it = bench(Rpc("a"))
    it.now = a_block(100).timestamp + late
    assert it.head().number == 100


def test_the_first_is_asked_alone_while_it_is_good() -> None:
    it = bench(Rpc("a"), Rpc("b"))
    assert (it.head().number, it.reader()) == (100, "a")
    assert it.rpcs[1].asked == []


@pytest.mark.parametrize(
    "bad", [{"silent": True}, {"chain_id": 1}, {"height": 90}], ids=lambda bad: next(iter(bad))
)
def test_the_next_takes_over_where_one_of_two_is_bad(bad: dict[str, Any]) -> None:
    it = bench(Rpc("a", **bad), Rpc("b"))
    assert (it.head().number, it.reader()) == (100, "b")


def test_who_falls_silent_between_head_and_read_is_replaced_by_one_that_has_a_head() -> None:
    it = bench(Rpc("a"), Rpc("b", chain_id=1), Rpc("c"))
    it.head()
    it.rpcs[0].silent = True
    assert it.reader() == "c"
    assert it.rpcs[1].count("who") == 0


def test_who_is_busy_is_replaced_too() -> None:
    it = bench(Rpc("a", refuses=RpcError(-32005, "limit exceeded", None)), Rpc("b"))
    assert it.reader() == "b"


def test_what_one_refuses_another_that_agrees_may_answer() -> None:
    unknown = RpcError(-32000, "header not found", None)
    it = bench(Rpc("a", refuses=unknown), Rpc("b"), Rpc("c"), quorum=2)
    assert it.reader() == "b"


FORGOTTEN = RpcError(-32000, "missing trie node", None)


def test_what_all_that_agreed_refuse_is_asked_of_the_others_that_have_their_block() -> None:
    """An archive may be the last of three, and a quorum is found without it."""
    it = bench(
        Rpc("a", refuses=FORGOTTEN), Rpc("b", refuses=FORGOTTEN), Rpc("c", height=101), quorum=2
    )
    assert it.reader() == "c"
    assert [rpc.count("who") for rpc in it.rpcs] == [1, 1, 1]


def test_what_everybody_refuses_is_refused() -> None:
    """In the words of the first: by them a reader may know to ask for less."""
    other = RpcError(-32000, "header not found", None)
    rpcs = [Rpc("a", refuses=FORGOTTEN), Rpc("b", refuses=other), Rpc("c", refuses=other)]
    it = bench(*rpcs, quorum=2)
    with pytest.raises(ChainError, match="missing trie node"):
        it.reader()
    assert [rpc.count("who") for rpc in rpcs] == [1, 1, 1]


@pytest.mark.parametrize(
    "bad", [{"fork": 100}, {"fork": 0}, {"height": 99}, {"silent": True}], ids=str
)
def test_who_does_not_have_the_block_that_was_agreed_on_is_not_asked_for_what_others_refuse(
    bad: dict[str, Any],
) -> None:
    it = bench(Rpc("a", refuses=FORGOTTEN), Rpc("b", refuses=FORGOTTEN), Rpc("c", **bad), quorum=2)
    with pytest.raises(ChainError, match="missing trie node"):
        it.reader()
    assert it.rpcs[2].count("who") == 0


def test_who_is_left_alone_is_not_asked_for_what_others_refuse_either() -> None:
    it = bench(Rpc("a", refuses=FORGOTTEN), Rpc("b", refuses=FORGOTTEN), Rpc("c"), quorum=2)
    it.breakers[2].foreign()
    with pytest.raises(ChainError, match="missing trie node"):
        it.reader()
    assert it.rpcs[2].asked == []


def test_who_has_nothing_against_what_he_is_asked_is_the_only_one_asked() -> None:
    it = bench(Rpc("a"), Rpc("b"), Rpc("c"), quorum=2)
    assert it.reader() == "a"
    assert [rpc.count("who") for rpc in it.rpcs] == [1, 0, 0]
    assert it.rpcs[2].asked == []


def test_a_revert_is_the_contracts_answer_and_not_asked_elsewhere() -> None:
    it = bench(Rpc("a", refuses=RpcError(3, "execution reverted", "0x")), Rpc("b"), quorum=2)
    with pytest.raises(CallReverted):
        it.reader()
    assert it.rpcs[1].count("who") == 0


def test_a_read_that_nobody_answers_is_tried_three_times() -> None:
    it = bench(Rpc("a", silent=True))
    with pytest.raises(RpcUnavailable, match=r"^a: no answer \(Timeout\)$"):
        it.reader()
    assert it.rpcs[0].count("eth_chainId") == 3


def test_a_read_is_answered_once_the_trouble_is_over() -> None:
    it = bench(Rpc("a"))
    it.head()
    troubled = it.rpcs[0].request_many
    left = iter([RpcUnavailable("a: reset"), RpcUnavailable("a: reset")])

    def flaky(requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        for error in left:
            raise error
        return troubled(requests)

    it.rpcs[0].request_many = flaky  # type: ignore[method-assign]
    assert it.reader() == "a"


def test_two_of_three_outvote_one_and_are_the_ones_that_are_read() -> None:
    it = bench(Rpc("a", fork=95), Rpc("b"), Rpc("c"), quorum=2)
    assert (it.head().hash, it.reader()) == (a_block(100).hash, "b")


def test_the_third_is_asked_only_where_the_first_two_do_not_agree() -> None:
    it = bench(Rpc("a"), Rpc("b", height=101), Rpc("c"), quorum=2)
    assert it.head().number == 100
    assert it.rpcs[2].asked == []


@pytest.mark.parametrize("taller", [1, 3, 10**9])
@pytest.mark.parametrize("place", range(3))
def test_one_of_three_that_says_it_is_ahead_stops_nothing(place: int, taller: int) -> None:
    rpcs = [Rpc("a"), Rpc("b"), Rpc("c")]
    rpcs[place].taller = taller
    it = bench(*rpcs, quorum=2)
    assert it.head() == replace(a_block(100), base_fee=0)


def test_one_of_three_that_tells_another_time_of_the_same_block_is_outvoted() -> None:
    it = bench(Rpc("a", later=4), Rpc("b"), Rpc("c"), quorum=2)
    assert (it.head().timestamp, it.reader()) == (a_block(100).timestamp, "b")


def test_a_time_that_is_too_long_to_be_written_is_an_answer_like_any_malformed_one() -> None:
    hostile = Rpc("a", later=16**5000)
    with pytest.raises(ChainError, match="a: eth_getBlockByNumber: the answer is malformed"):
        bench(hostile).head()
    assert bench(hostile, Rpc("b")).head().number == 100


def test_one_that_lags_is_left_out_where_the_third_is_abreast_of_the_first() -> None:
    it = bench(Rpc("a", height=103), Rpc("b"), Rpc("c", height=103), quorum=2)
    it.now = a_block(103).timestamp
    assert (it.head().number, it.reader()) == (103, "a")


def test_without_agreement_the_error_names_each_and_what_it_said() -> None:
    it = bench(Rpc("a", fork=95), Rpc("b"), Rpc("c", chain_id=1), quorum=2)
    with pytest.raises(ChainError) as caught:
        it.head()
    assert "no 2 of 3 RPCs agree" in str(caught.value)
    for said in (f"a: is at block 100, 0x{'a' * 64}", "b: is at block 100", "c serves chain 1"):
        assert said in str(caught.value)
    with pytest.raises(ChainError, match="no 2 of 3"):
        it.reader()


def test_three_on_a_wrong_chain_are_the_wrong_chain() -> None:
    it = bench(*(Rpc(name, chain_id=1) for name in "abc"), quorum=2)
    with pytest.raises(WrongChain):
        it.head()


def test_too_few_that_answer_are_no_answer_and_asked_again() -> None:
    it = bench(Rpc("a"), Rpc("b", silent=True), Rpc("c", silent=True), quorum=2)
    with pytest.raises(RpcUnavailable, match="no 2 of 3"):
        it.head()
    assert it.rpcs[1].count("eth_chainId") == 3


def test_a_block_agreed_on_below_the_heads_must_be_young_too() -> None:
    it = bench(Rpc("a", fork=99), Rpc("b"), quorum=2)
    assert it.head().number == 98
    it.now = a_block(100).timestamp + AGE
    with pytest.raises(ChainError, match="no 2 of 2"):
        it.head()


def test_one_who_disagrees_once_is_back_the_next_time() -> None:
    """A reorganisation of one block looks like a lie, so it bans nobody."""
    it = bench(Rpc("a", fork=100), Rpc("b"), Rpc("c"), quorum=2)
    it.head()
    assert it.reader() == "b"
    assert it.breakers[0].state is BreakerState.CLOSED
    it.rpcs[0].fork = None
    it.head()
    assert it.reader() == "a"


def test_who_failed_three_times_is_left_alone_until_its_rest_is_over() -> None:
    it = bench(Rpc("a", silent=True), Rpc("b"))
    for _ in range(5):
        assert it.head().number == 100
    assert it.rpcs[0].count("eth_chainId") == 3
    it.rpcs[0].silent = False
    it.monotonic += 5
    it.head()
    assert it.reader() == "a"


def test_who_failed_three_times_is_not_in_use_until_it_answers_again() -> None:
    it = bench(Rpc("a", silent=True), Rpc("b"), Rpc("c"))
    counted = []
    for _ in range(4):
        counted.append(it.providers.in_use())
        it.head()
    assert counted == [(3, 3), (3, 3), (3, 3), (2, 3)]
    it.monotonic += 5  # its rest is over, but it has not answered yet
    assert it.providers.in_use() == (2, 3)
    it.rpcs[0].silent = False
    it.head()
    assert it.providers.in_use() == (3, 3)


def test_where_everybody_rests_they_are_asked_all_the_same() -> None:
    """So all is normal at the first poll after an outage, however long it was."""
    it = bench(Rpc("a", silent=True), Rpc("b", silent=True), quorum=2)
    for _ in range(3):
        with pytest.raises(RpcUnavailable):
            it.head()
    assert {breaker.state for breaker in it.breakers} == {BreakerState.OPEN}
    for rpc in it.rpcs:
        rpc.silent = False
    assert it.head().number == 100


def test_a_signed_transaction_is_handed_to_each_once() -> None:
    it = bench(Rpc("a", silent=True), Rpc("b"), Rpc("c"), quorum=2)
    it.node.send_raw(b"\x02")
    assert [rpc.count("eth_sendRawTransaction") for rpc in it.rpcs] == [1, 1, 1]


@pytest.mark.parametrize("trouble", ["silent", "refuses"])
def test_where_nobody_takes_a_transaction_it_is_maybe_sent_and_not_repeated(trouble: str) -> None:
    known = RpcError(-32000, "already known", None)
    changes: dict[str, Any] = {"silent": True} if trouble == "silent" else {"refuses": known}
    it = bench(Rpc("a", **changes), Rpc("b", silent=True), quorum=1)
    with pytest.raises(MaybeSent, match="Timeout" if trouble == "silent" else "already known"):
        it.node.send_raw(b"\x02")
    assert [rpc.count("eth_sendRawTransaction") for rpc in it.rpcs] == [1, 1]


def test_each_stands_for_itself_when_looked_at() -> None:
    it = bench(Rpc("a"), Rpc("b", silent=True), Rpc("c", chain_id=1), Rpc("d", height=90))
    a, b, c, d = it.providers.standings()
    assert (a.name, a.head and a.head.number, a.trouble) == ("a", 100, None)
    assert (b.head, c.head, d.head) == (None, None, None)
    assert "no answer" in str(b.trouble)
    assert "serves chain 1" in str(c.trouble)
    assert "130 s old" in str(d.trouble)


def test_a_malformed_answer_names_who_gave_it() -> None:
    rpc = Rpc("a", chain_id=-1)
    with pytest.raises(ChainError, match="a: eth_chainId: the answer is malformed"):
        bench(rpc).head()

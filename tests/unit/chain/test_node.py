"""A node's answers: typed, or refused in the narrowest words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from builders import a_block

from lpmanager.abi import Function
from lpmanager.chain.history import block_chunks, join_flow
from lpmanager.chain.node import Node, Question, call_question, or_none
from lpmanager.chain.transport import RpcError
from lpmanager.errors import CallReverted, ChainError, MaybeSent, RpcUnavailable, WrongChain

NAME = Function("decimals()", "(uint8)").call("0xC", read=int)
RECEIPT = {
    "transactionHash": "0x01",
    "status": "0x1",
    "blockNumber": "0x7",
    "blockHash": "0x07",
    "gasUsed": "0x10",
    "effectiveGasPrice": "0x3",
    "logs": [],
}


class Stub:
    """A transport that gives each request the next answer, or raises it."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, list[Any]]] = []

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        self.asked += requests
        answers = [self.answers.pop(0) for _ in requests]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers


def node(*answers: Any) -> Node:
    return Node(Stub(*answers), 31337)


def test_another_chain_is_refused() -> None:
    node("0x7a69").check_chain()
    with pytest.raises(WrongChain, match="serves chain 1, the configuration says 31337"):
        node("0x1").check_chain()


def test_a_call_names_the_block_by_its_hash() -> None:
    stub = Stub("0x" + "00" * 31 + "12")
    assert Node(stub, 1).call(NAME, a_block(5)) == 18
    assert stub.asked == [
        ("eth_call", [{"to": "0xC", "data": "0x313ce567"}, {"blockHash": a_block(5).hash}])
    ]


@pytest.mark.parametrize("answer", [None, 5, "0x", "0xzz", "text", {}, []])
def test_an_answer_that_is_no_value_of_its_type_is_refused(answer: Any) -> None:
    with pytest.raises(ChainError):
        node(answer).call(NAME, a_block())


@pytest.mark.parametrize("answer", [None, "0x1", {"number": "0x1"}, {"number": 1}])
def test_a_block_the_node_does_not_have_is_refused(answer: Any) -> None:
    with pytest.raises(ChainError):
        node(answer).head()


def test_a_block_before_base_fees_has_none() -> None:
    head = node({"number": "0x1", "hash": "0xab", "timestamp": "0x2"}).head()
    assert (head.number, head.hash, head.timestamp, head.base_fee) == (1, "0xab", 2, 0)


@pytest.mark.parametrize(
    ("error", "data"),
    [
        (RpcError(3, "execution reverted", "0xdeadbeef"), b"\xde\xad\xbe\xef"),
        (RpcError(-32000, "execution reverted: OLD", None), b""),
        (RpcError(-32015, "VM execution error: reverted", "Reverted 0x"), b""),
        (RpcError(3, "execution reverted", "Reverted 0x08c379a0"), b"\x08\xc3\x79\xa0"),
        (RpcError(3, "execution reverted", {"message": "x"}), b""),
    ],
)
def test_a_revert_carries_its_data_however_the_node_writes_it(error: RpcError, data: bytes) -> None:
    with pytest.raises(CallReverted) as caught:
        node(error).call(NAME, a_block())
    assert caught.value.data == data


def test_a_question_that_may_revert_forgives_nothing_else() -> None:
    question = or_none(call_question(NAME, a_block()))
    assert node(RpcError(3, "execution reverted", "0x")).ask(question) is None
    with pytest.raises(ChainError, match=r"header not found \(code -32000\)"):
        node(RpcError(-32000, "header not found", None)).ask(question)


def test_one_refusal_among_many_is_not_lost() -> None:
    question = Question("eth_chainId", [], str)
    with pytest.raises(ChainError, match="limit exceeded"):
        node("0x1", RpcError(-32005, "limit exceeded", None)).ask_many([question, question])


def test_a_receipt_is_none_until_mined_and_pays_for_a_rollups_data_too() -> None:
    assert node(None).receipt("0x01") is None
    receipt = node({**RECEIPT, "l1Fee": "0x5"}).receipt("0x01")
    assert receipt is not None
    assert (receipt.succeeded, receipt.gas_used, receipt.gas_paid) == (True, 16, 53)


def no_pause(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that passes only by sleeping."""
    slept = [0.0]
    monkeypatch.setattr("lpmanager.chain.node.time.monotonic", lambda: slept[0])

    def sleep(seconds: float) -> None:
        slept[0] += seconds

    monkeypatch.setattr("lpmanager.chain.node.time.sleep", sleep)
    return slept


@pytest.mark.parametrize(
    "trouble",
    [
        RpcUnavailable("no answer"),
        RpcError(-32005, "limit exceeded", None),
        {"transactionHash": "0x01"},
    ],
)
def test_trouble_while_waiting_is_no_news_of_the_transaction(
    trouble: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_pause(monkeypatch)
    receipt = node(None, trouble, RECEIPT).wait("0x01", timeout_s=10, poll_s=1)
    assert receipt.tx_hash == "0x01"


def test_a_transaction_that_is_not_mined_in_time_is_maybe_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept = no_pause(monkeypatch)
    with pytest.raises(MaybeSent, match="not mined within 3 s"):
        node(*[None] * 10).wait("0x01", timeout_s=3, poll_s=1)
    assert slept == [3.0]


@pytest.mark.parametrize(
    "answer",
    [
        RpcError(-32000, "already known", None),
        RpcError(-32000, "nonce too low", None),
        RpcUnavailable("no answer"),
    ],
)
def test_whatever_the_node_says_of_a_raw_transaction_but_yes_it_may_be_sent(answer: Any) -> None:
    with pytest.raises(MaybeSent):
        node(answer).send_raw(b"\x02")


@pytest.mark.parametrize(
    ("first", "last", "chunks"),
    [
        (1, 0, []),
        (1, 1, [(1, 1)]),
        (1, 2000, [(1, 2000)]),
        (1, 2001, [(1, 2000), (2001, 2001)]),
    ],
)
def test_logs_are_asked_for_in_pieces_without_gap_or_overlap(
    first: int, last: int, chunks: list[tuple[int, int]]
) -> None:
    assert block_chunks(first, last) == chunks


def test_a_flow_without_time_is_none_at_all() -> None:
    assert join_flow(a_block(5), [a_block(5)]) is None
    flow = join_flow(a_block(5), [a_block(4), []])
    assert flow is not None
    assert (flow.from_block, flow.seconds, flow.swaps) == (5, 12, ())

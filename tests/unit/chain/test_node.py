"""A node's answers: typed, or refused in the narrowest words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from builders import a_block

from lpmanager.abi import Function
from lpmanager.chain.history import block_chunks, join_flow
from lpmanager.chain.node import (
    Node,
    Question,
    base_fees_question,
    call_question,
    chain_id_question,
    logs_question,
    nonce_question,
    nonce_question_at,
    or_none,
    pending_nonce_question,
    receipt_question,
    require_same_genesis,
    sent_question,
)
from lpmanager.chain.transport import RpcError
from lpmanager.errors import CallReverted, ChainError, MaybeSent, RpcUnavailable, WrongChain

NAME = Function("decimals()", "(uint8)").call("0xC", read=int)


def a_hash(number: int) -> str:
    return f"0x{number:064x}"


HASH = a_hash(1)
RECEIPT = {
    "transactionHash": HASH,
    "status": "0x1",
    "blockNumber": "0x7",
    "blockHash": a_hash(7),
    "gasUsed": "0x10",
    "effectiveGasPrice": "0x3",
    "logs": [],
}
LOG = {
    "address": "0x" + "11" * 20,
    "topics": [],
    "data": "0x",
    "blockNumber": "0x8",
    "blockHash": a_hash(8),
    "transactionHash": HASH,
    "logIndex": "0x0",
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


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "0x1",
        [],
        {"number": "0x1"},
        {"number": 1},
        {"number": "0x1", "hash": None, "timestamp": "0x2"},
        {"number": "0x1", "hash": "0xab", "timestamp": "0x2"},
    ],
)
def test_a_block_the_node_does_not_have_is_refused(answer: Any) -> None:
    with pytest.raises(ChainError):
        node(answer).head()


def test_a_block_before_base_fees_has_none() -> None:
    head = node({"number": "0x1", "hash": HASH, "timestamp": "0x2"}).head()
    assert (head.number, head.hash, head.timestamp, head.base_fee) == (1, HASH, 2, 0)


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
    assert node(None).ask(receipt_question(HASH)) is None
    receipt = node({**RECEIPT, "l1Fee": "0x5"}).ask(receipt_question(HASH))
    assert receipt is not None
    assert (receipt.succeeded, receipt.gas_used, receipt.gas_paid) == (True, 16, 53)


def test_the_receipt_of_another_transaction_is_no_data() -> None:
    with pytest.raises(ChainError, match=r"told of 0x0+9"):
        node({**RECEIPT, "transactionHash": a_hash(9)}).ask(receipt_question(HASH))


def test_the_block_of_another_height_is_no_data() -> None:
    with pytest.raises(ChainError, match="asked for block 5, told of 6"):
        node({"number": "0x6", "hash": HASH, "timestamp": "0x2"}).block(5)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"blockNumber": "0x9"}, "asked for logs up to 8, told of 9"),
        ({"address": "0x" + "22" * 20}, "asked for logs of"),
        ({"removed": True}, "reorganised away"),
        ({"transactionHash": "0x01"}, "is not a hash"),
    ],
)
def test_logs_that_were_not_asked_for_are_no_data(changes: dict[str, Any], why: str) -> None:
    question = logs_question([], 5, 8, address="0x" + "11" * 20)
    assert len(node([LOG]).ask(question)) == 1
    with pytest.raises(ChainError, match=why):
        node([LOG | changes]).ask(question)


def test_base_fees_are_of_the_blocks_up_to_the_head_and_not_of_the_one_to_come() -> None:
    told = {"oldestBlock": "0x62", "baseFeePerGas": ["0x1", "0x2", "0x3", "0x4"]}
    question = base_fees_question(a_block(100), 3)
    assert (question.method, question.params) == ("eth_feeHistory", ["0x3", "0x64", []])
    assert node(told).ask(question) == (1, 2, 3)
    assert node(RpcError(-32601, "no such method", None)).ask(question) is None
    with pytest.raises(ChainError, match="up to block 100, told up to 101"):
        node(told | {"oldestBlock": "0x63"}).ask(question)
    with pytest.raises(ChainError, match="malformed"):
        node({"oldestBlock": "0x62"}).ask(question)


@pytest.mark.parametrize(
    "odd", ["-0x5", "0x-5", "0x_5", " 0x5", "5", "0x", 5, None, "0x1" + "0" * 64, "0x" + "f" * 5000]
)
def test_a_number_is_a_quantity_or_no_data(odd: Any) -> None:
    with pytest.raises(ChainError, match="malformed"):
        node(odd).ask(chain_id_question())


def test_a_malformed_answer_is_quoted_in_one_short_line() -> None:
    with pytest.raises(ChainError, match="malformed") as caught:
        node("\n\x1b[2J" + "x" * 10_000).ask(chain_id_question())
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", ["number", "timestamp"])
@pytest.mark.parametrize("told", [hex(2**63), "0x" + "f" * 5000])
def test_no_block_is_as_high_or_as_late_as_a_database_cannot_note(name: str, told: str) -> None:
    block = {"number": "0x5", "hash": HASH, "timestamp": "0x2"}
    node(block).head()
    with pytest.raises(ChainError, match="malformed"):
        node(block | {name: told}).head()


@pytest.mark.parametrize(
    "changes",
    [
        {"blockNumber": hex(2**63)},
        {"gasUsed": hex(2**63)},
        {"effectiveGasPrice": "0x1" + "0" * 64},
        {"l1Fee": "0x" + "f" * 5000},
        {"logs": [LOG | {"logIndex": hex(2**63)}]},
        {"logs": [LOG | {"blockTimestamp": "0x" + "f" * 5000}]},
    ],
)
def test_a_receipt_with_a_number_that_cannot_be_is_no_data(changes: dict[str, Any]) -> None:
    with pytest.raises(ChainError, match="malformed"):
        node(RECEIPT | changes).ask(receipt_question(HASH))


@pytest.mark.parametrize("topic", [None, 5, "0x", "0xab", "text", "0x" + "g" * 64, {}])
def test_a_log_whose_topics_are_no_words_is_no_data(topic: Any) -> None:
    with pytest.raises(ChainError, match="malformed"):
        node(RECEIPT | {"logs": [LOG | {"topics": [topic]}]}).ask(receipt_question(HASH))


def test_an_account_has_not_sent_more_than_a_database_can_note() -> None:
    assert node(hex(2**63 - 1)).ask(nonce_question(MINE, a_block())) == 2**63 - 1
    for question in (
        nonce_question(MINE, a_block()),
        nonce_question_at(MINE, 5),
        pending_nonce_question(MINE),
    ):
        with pytest.raises(ChainError, match="malformed"):
            node(hex(2**63)).ask(question)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ([a_hash(1)], []),
        ([a_hash(1)], [a_hash(2)]),
        ([[a_hash(1), a_hash(3)]], [a_hash(2)]),
        ([a_hash(1), a_hash(2)], [a_hash(1)]),
        ([a_hash(1), None, a_hash(3)], [a_hash(1), a_hash(2), a_hash(2)]),
    ],
)
def test_logs_of_other_events_than_asked_for_are_no_data(asked: Any, told: list[str]) -> None:
    with pytest.raises(ChainError, match="asked for logs with topics"):
        node([LOG | {"topics": told}]).ask(logs_question(asked, 5, 8))


@pytest.mark.parametrize(
    "places", [[(6, 0), (5, 3)], [(6, 1), (6, 0)], [(6, 1), (6, 1)], [(5, 0), (7, 0), (6, 0)]]
)
def test_logs_that_are_not_in_chain_order_or_told_twice_are_no_data(
    places: list[tuple[int, int]],
) -> None:
    def told(order: list[tuple[int, int]]) -> list[Any]:
        return [LOG | {"blockNumber": hex(b), "logIndex": hex(i)} for b, i in order]

    question = logs_question([], 5, 8)
    in_order = sorted(set(places))
    assert len(node(told(in_order)).ask(question)) == len(in_order)
    with pytest.raises(ChainError, match="asked for logs in chain order, told of log"):
        node(told(places)).ask(question)


def test_logs_may_have_more_topics_than_asked_for() -> None:
    told = [a_hash(1), a_hash(2), a_hash(3)]
    for asked in ([], [None], [a_hash(1)], [[a_hash(2), a_hash(1)], None, a_hash(3)]):
        (log,) = node([LOG | {"topics": told}]).ask(logs_question(asked, 5, 8))
        assert log.topics == tuple(told)


def test_hashes_are_compared_whatever_their_case() -> None:
    upper = {"number": "0x5", "hash": "0x" + "AB" * 32, "timestamp": "0x2"}
    assert node(upper).block(5).hash == "0x" + "ab" * 32


def test_the_head_is_what_is_agreed_on_where_somebody_tells_that() -> None:
    agreed = Node(Stub(), 1, newest=lambda: a_block(7)).head()
    assert agreed == a_block(7)


def test_a_chain_is_known_by_its_first_block() -> None:
    found = node({"number": "0x0", "hash": HASH, "timestamp": "0x0"}).genesis()
    require_same_genesis(None, found)
    require_same_genesis(HASH, found)
    with pytest.raises(WrongChain, match="another chain of the same id"):
        require_same_genesis(a_hash(2), found)


@pytest.mark.parametrize(("public", "by"), [(False, ["relay"]), (True, ["RPC", "relay"])])
def test_a_private_transaction_goes_to_the_relay_alone(public: bool, by: list[str]) -> None:
    sides = {"RPC": Stub(HASH), "relay": Stub(HASH)}
    Node(sides["RPC"], 1, relay=sides["relay"]).send_raw(b"\x02", public=public)
    assert [name for name, stub in sides.items() if stub.asked] == by


@pytest.mark.parametrize("public", [False, True])
def test_without_a_relay_every_transaction_is_public(public: bool) -> None:
    stub = Stub(HASH)
    Node(stub, 1).send_raw(b"\x02", public=public)
    assert stub.asked == [("eth_sendRawTransaction", ["0x02"])]


@pytest.mark.parametrize("refusal", [RpcUnavailable("no answer"), RpcError(-32000, "busy", None)])
def test_a_transaction_is_taken_where_either_of_relay_and_rpc_takes_it(refusal: Any) -> None:
    for rpc, relay in ((refusal, HASH), (HASH, refusal)):
        Node(Stub(rpc), 1, relay=Stub(relay)).send_raw(b"\x02", public=True)
    with pytest.raises(MaybeSent, match=r"(no answer|busy).*; .*(no answer|busy)"):
        Node(Stub(refusal), 1, relay=Stub(refusal)).send_raw(b"\x02", public=True)


def sent(number: int, **changes: Any) -> dict[str, Any]:
    """A transaction as a block tells of it."""
    return {"hash": a_hash(number), "from": "0x" + "aB" * 20, "nonce": hex(number)} | changes


FULL = {"number": "0x5", "hash": HASH, "timestamp": "0x2"}
MINE = "0x" + "Ab" * 20


def test_what_an_account_has_in_a_block_is_told_by_nonce() -> None:
    others = sent(7, **{"from": "0x" + "ac" * 20, "hash": a_hash(70)})
    block = FULL | {"transactions": [sent(7), others, sent(8, hash="0x" + "CD" * 32)]}
    found = node(block).ask(sent_question(MINE, 5))
    assert found == {7: a_hash(7), 8: "0x" + "cd" * 32}


@pytest.mark.parametrize(
    "told",
    [
        None,
        FULL,
        FULL | {"number": "0x6", "transactions": [sent(7)]},
        FULL | {"transactions": [a_hash(7)]},
        FULL | {"transactions": [sent(7, nonce="7")]},
        FULL | {"transactions": [sent(7, nonce=None)]},
        FULL | {"transactions": [sent(7, hash="0x7")]},
    ],
    ids=["nothing", "no list", "another block", "hashes alone", "no hex", "no nonce", "no hash"],
)
def test_a_block_that_does_not_tell_what_it_holds_is_no_answer(told: Any) -> None:
    with pytest.raises(ChainError):
        node(told).ask(sent_question(MINE, 5))


@pytest.mark.parametrize("lie", [a_hash(9), None, 5, {}])
def test_what_hash_the_answer_tells_does_not_matter(lie: Any) -> None:
    node(lie).send_raw(b"\x02")


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

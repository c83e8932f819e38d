"""What contracts answer at one block, in as few round trips as can be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lpmanager.abi import ContractCall
from lpmanager.chain.node import Node, Question, block_question, call_question, or_none
from lpmanager.errors import ChainError
from lpmanager.model import Block

#: A contract and the calldata it is asked with.
_Key = tuple[str, bytes]


class AtBlock:
    """What contracts answer at one block: each call is made once, and together with others."""

    def __init__(self, node: Node, block: Block) -> None:
        self.block = block
        self._node = node
        self._asked: dict[_Key, ContractCall[Any]] = {}
        self._answers: dict[_Key, Any] = {}

    @property
    def asked(self) -> tuple[ContractCall[Any], ...]:
        """All that `ask` and `ask_or_none` were asked so far."""
        return tuple(self._asked.values())

    def begin(
        self, questions: Sequence[Question[Any]], likely: Iterable[ContractCall[Any]]
    ) -> list[Any]:
        """The answers to `questions`, in a round trip that also fetches what `likely` calls answer.

        Raises ChainError where the block was reorganised away: what is asked by height, as logs
        are, may then be another branch's.
        """
        calls = {_key(call): call for call in likely}
        *answers, again = self._node.ask_many(
            [
                *questions,
                *(or_none(call_question(call, self.block)) for call in calls.values()),
                block_question(self.block.number),  # last, so that the logs were told before it
            ]
        )
        require_still(self.block, again)
        self._answers = dict(zip(calls, answers[len(questions) :], strict=True))
        return answers[: len(questions)]

    def ask(self, calls: Sequence[ContractCall[Any]]) -> list[Any]:
        """The answers of contracts; CallReverted where one reverts."""
        missing = [call for call in calls if self._answers.get(_key(call)) is None]
        self._keep(missing, self._node.call_many(missing, self.block))
        return self._told(calls)

    def ask_or_none(self, calls: Sequence[ContractCall[Any]]) -> list[Any]:
        """As `ask`; None where one reverts."""
        missing = [call for call in calls if _key(call) not in self._answers]
        questions = [or_none(call_question(call, self.block)) for call in missing]
        self._keep(missing, self._node.ask_many(questions))
        return self._told(calls)

    def _keep(self, calls: Sequence[ContractCall[Any]], answers: Sequence[Any]) -> None:
        self._answers |= zip(map(_key, calls), answers, strict=True)

    def _told(self, calls: Sequence[ContractCall[Any]]) -> list[Any]:
        self._asked |= {_key(call): call for call in calls}
        return [self._answers[_key(call)] for call in calls]


def require_still(block: Block, again: Block) -> None:
    """Raise ChainError unless the chain, asked again for the height of a block, tells the same."""
    if again.hash != block.hash:
        raise ChainError(f"block {block.number} was reorganised away while it was read; try again")


def _key(call: ContractCall[Any]) -> _Key:
    return call.to, call.data

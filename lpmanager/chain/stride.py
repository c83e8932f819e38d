"""How many blocks to ask for at once. Pure."""

from __future__ import annotations

#: Every public RPC that asks nothing for its answers allows this many, or says that it does not.
_FIRST = 2_000
_LONGEST = 100_000

#: Logs of an answer that is long enough; many RPCs refuse 10,000.
_ENOUGH_LOGS = 4_000

#: Answers in a row after which more is asked for again, once something was refused.
_PATIENCE = 8


class Stride:
    """A number of blocks that halves with each refusal, and doubles again while answers come.

    Until the first refusal it doubles with every answer, and afterwards now and then: an RPC that
    has a fixed limit refuses one request of a few, and one that minds the length of its answer is
    asked for more where there is less to tell.
    """

    def __init__(self, blocks: int = _FIRST) -> None:
        self.blocks = blocks
        self._patience = 1
        self._answers = 0

    def answered(self, logs: int) -> None:
        """An answer of so many logs came."""
        self._answers += 1
        if self._answers >= self._patience and logs < _ENOUGH_LOGS:
            self.blocks = min(self.blocks * 2, _LONGEST)
            self._answers = 0

    def refused(self, blocks: int) -> None:
        """So many blocks were too many."""
        self.blocks = max(blocks // 2, 1)
        self._patience = _PATIENCE
        self._answers = 0

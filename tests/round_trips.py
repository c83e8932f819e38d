"""How often a node is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Counting:
    """A transport that counts its round trips."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.trips = 0

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        self.trips += bool(requests)
        return self._inner.request_many(requests)

"""Commands that load much look for garbage more rarely, and only for as long as they run."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from lpmanager.cli.garbage import collected_rarely

USUAL = (700, 10, 10)


@pytest.fixture(autouse=True)
def _as_python_has_it() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*USUAL)
    yield
    gc.set_threshold(*before)


def test_garbage_is_looked_for_more_rarely_and_then_as_before() -> None:
    with collected_rarely():
        assert gc.get_threshold()[0] > 10 * USUAL[0]
        assert gc.isenabled()
    assert gc.get_threshold() == USUAL


def test_a_command_that_fails_leaves_it_as_it_was() -> None:
    @collected_rarely()
    def fails() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert gc.get_threshold() == USUAL

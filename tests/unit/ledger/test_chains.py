"""A store is of the chains it was first used on."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpmanager.errors import WrongChain
from lpmanager.ledger.chains import known_genesis, note_genesis
from lpmanager.ledger.store import Ledger

GENESIS = "0x" + "ab" * 32
OTHER = "0x" + "cd" * 32


def test_a_chains_first_block_is_known_from_its_first_use_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/books.db"
    first = Ledger.open(url)
    assert known_genesis(first.engine, 1) is None
    note_genesis(first.engine, 1, GENESIS)
    first.engine.dispose()
    again = Ledger.open(url)
    assert known_genesis(again.engine, 1) == GENESIS
    assert known_genesis(again.engine, 2) is None
    again.engine.dispose()


def test_another_first_block_is_refused_and_the_first_one_kept() -> None:
    engine = Ledger.open("sqlite://").engine
    for found in (GENESIS, GENESIS.upper().replace("X", "x")):
        note_genesis(engine, 1, found)
    with pytest.raises(WrongChain, match=f"was {GENESIS} .* tells {OTHER}"):
        note_genesis(engine, 1, OTHER)
    note_genesis(engine, 2, OTHER)
    assert known_genesis(engine, 1) == GENESIS
    engine.dispose()

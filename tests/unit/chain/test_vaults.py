"""A vault's code is ours in every byte but the values of its immutables."""

from __future__ import annotations

import random
import re

from lpmanager.chain.artifacts import own_artifact
from lpmanager.chain.vaults import is_ours

CREATION = own_artifact("LiquidityVault").bytecode
START = CREATION.index(b"\x5f\xf3\xfe") + 3
CODE = CREATION[START : START + int.from_bytes(CREATION[START - 5 : START - 3])]
#: Where the code has an immutable: after the opcode that pushes 32 bytes.
ROOMS = [found.start(1) for found in re.finditer(rb"\x7f(\x00{32})", CODE)]


def changed(at: int, byte: int = 0xA5) -> bytes:
    return CODE[:at] + bytes([CODE[at] ^ byte]) + CODE[at + 1 :]


def test_immutables_have_any_value() -> None:
    assert len(ROOMS) > 4
    deployed = bytearray(CODE)
    for room in ROOMS:
        deployed[room : room + 32] = random.Random(room).randbytes(32)
    assert is_ours(bytes(deployed))


def test_nothing_else_may_differ() -> None:
    places = [at for at in range(len(CODE)) if not any(r <= at < r + 32 for r in ROOMS)]
    for at in (places[0], places[-1], *random.Random(1).sample(places, 300)):
        assert not is_ours(changed(at)), at


def test_code_is_neither_longer_nor_shorter() -> None:
    assert is_ours(CODE)
    for other in (b"", CODE[:-1], CODE + b"\0", CREATION):
        assert not is_ours(other)

"""Keys stay where they belong, and sign what is allowed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import a_pool
from eth_account import Account
from eth_utils.crypto import keccak

from lpmanager.errors import ConfigError, Halted, SigningRefused
from lpmanager.execution.signer import (
    GuardedSigner,
    Signed,
    signer_from_clear_key,
    signer_from_keystore,
)
from lpmanager.execution.wallet_allowed import WalletAllowList
from lpmanager.venues.uniswap_v3 import UniswapV3

#: Public knowledge: the first account of every development chain.
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
CANCELLATION = {
    "type": 2,
    "chainId": 31337,
    "nonce": 0,
    "to": ADDRESS,
    "value": 0,
    "data": b"",
    "gas": 21000,
    "maxFeePerGas": 10**9,
    "maxPriorityFeePerGas": 1,
}


def test_a_keystore_signs_for_its_account(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(Account.encrypt(KEY, "right", kdf="pbkdf2", iterations=2)))
    assert signer_from_keystore(path, "right").address == ADDRESS
    with pytest.raises(ConfigError, match=r"account\.keystore: .* does not open"):
        signer_from_keystore(path, "wrong")


def test_a_clear_key_is_refused_outside_devnets() -> None:
    assert signer_from_clear_key(KEY, devnet=True).address == ADDRESS
    with pytest.raises(ConfigError, match="refused outside devnets") as caught:
        signer_from_clear_key(KEY, devnet=False)
    assert KEY[2:] not in str(caught.value)


@pytest.mark.parametrize(
    "key", ["", "0x", "zz", "0x12", KEY + "00", "0x" + "00" * 32, "0x" + "ff" * 32]
)
def test_what_is_no_key_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(ConfigError, match="LPM_PRIVATE_KEY") as caught:
        signer_from_clear_key(key, devnet=True)
    assert caught.value.__suppress_context__


def test_the_key_is_not_shown() -> None:
    signer = signer_from_clear_key(KEY, devnet=True)
    assert KEY[2:] not in repr(signer)
    assert KEY[2:] not in str(signer)
    assert KEY[2:] not in repr(guarded(signer))


def test_the_hash_is_that_of_the_signed_bytes() -> None:
    signed = signer_from_clear_key(KEY, devnet=True).sign(CANCELLATION)
    assert signed.tx_hash == "0x" + keccak(signed.raw).hex()
    assert Account.recover_transaction(signed.raw) == ADDRESS


class Recorder:
    """A signer that notes what it was asked for; `then` happens while it signs."""

    address = ADDRESS

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._then = then

    def sign(self, transaction: dict[str, Any]) -> Signed:
        self.asked.append(transaction)
        self._then()
        return Signed(raw=b"signed", tx_hash="0x")


def guarded(signer: Any, may_sign: Callable[[], None] = lambda: None) -> GuardedSigner:
    venue = UniswapV3(
        factory="0x00000000000000000000000000000000000000F1",
        position_manager="0x00000000000000000000000000000000000000F2",
        swap_router="0x00000000000000000000000000000000000000F3",
        quoter="0x00000000000000000000000000000000000000F4",
        tick_lens="0x00000000000000000000000000000000000000F5",
        swap_router_has_deadline=True,
    )
    allowed = WalletAllowList(
        chain_id=31337, account=ADDRESS, venue=venue, pool=a_pool(), max_fee=10**11
    )
    return GuardedSigner(signer, allowed, may_sign)


def test_what_is_allowed_goes_through_the_guard_unchanged() -> None:
    signer = Recorder()
    guard = guarded(signer)
    assert guard.address == ADDRESS
    assert guard.sign(CANCELLATION).raw == b"signed"
    assert signer.asked == [CANCELLATION]


def test_the_key_is_not_touched_for_what_is_not_allowed() -> None:
    signer = Recorder()
    with pytest.raises(SigningRefused):
        guarded(signer).sign(CANCELLATION | {"value": 1})
    assert signer.asked == []


class Switch:
    """The halt flag."""

    def __init__(self, *, on: bool) -> None:
        self.on = on

    def turn_on(self) -> None:
        self.on = True

    def require_off(self) -> None:
        if self.on:
            raise Halted("halted by hand")


def test_the_key_is_not_touched_while_halted() -> None:
    signer, halt = Recorder(), Switch(on=True)
    with pytest.raises(Halted, match="by hand"):
        guarded(signer, halt.require_off).sign(CANCELLATION)
    assert signer.asked == []


def test_a_signature_that_comes_after_a_halt_is_thrown_away() -> None:
    halt = Switch(on=False)
    signer = Recorder(then=halt.turn_on)
    with pytest.raises(Halted, match="by hand"):
        guarded(signer, halt.require_off).sign(CANCELLATION)
    assert len(signer.asked) == 1

"""An external signer is believed in nothing: what comes back must be what was asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import rlp
from builders import ACCOUNT
from eth_keys.constants import SECPK1_N
from eth_utils.crypto import keccak
from loopback_rpc import Loopback, always, loopback, result
from loopback_signer import Whim, loopback_signer, refusing

from lpmanager.chain.transport import HttpTransport
from lpmanager.errors import ConfigError, SignerUnavailable, SigningRefused
from lpmanager.execution.remote_signer import RemoteSigner, SignerKind, verified
from lpmanager.execution.signer import signer_from_clear_key

#: Public knowledge: the first and second account of every development chain.
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
OTHER_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
TRANSACTION = {
    "type": 2,
    "chainId": 31337,
    "nonce": 0,
    "to": ADDRESS,
    "value": 0,
    "data": bytes.fromhex("abcdef00"),
    "gas": 21000,
    "maxFeePerGas": 10**9,
    "maxPriorityFeePerGas": 1,
}
KINDS = list(SignerKind)


def a_signer(
    server: Loopback,
    kind: SignerKind = SignerKind.WEB3SIGNER,
    address: str = ADDRESS,
    timeout_s: float = 10.0,
) -> RemoteSigner:
    transport = HttpTransport(server.url, timeout_s)
    return RemoteSigner(transport=transport, kind=kind, address=address, name="the signer")


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_honest_signer_signs_is_what_a_key_here_would_sign(kind: SignerKind) -> None:
    with loopback_signer(KEY) as server:
        signed = a_signer(server, kind).sign(TRANSACTION)
    assert signed == signer_from_clear_key(KEY, devnet=True).sign(TRANSACTION)
    assert signed.tx_hash == "0x" + keccak(signed.raw).hex()
    (posted,) = server.posts
    assert posted["method"] == kind.signing_method
    (told,) = posted["params"]
    assert (told["from"], told["chainId"], told["nonce"]) == (ADDRESS, "0x7a69", "0x0")


def test_web3signer_and_clef_are_asked_to_sign_and_never_to_send() -> None:
    assert [kind.signing_method for kind in KINDS] == [
        "eth_signTransaction",
        "account_signTransaction",
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chainId", 1),
        ("nonce", 1),
        ("to", ACCOUNT),
        ("value", 1),
        ("data", b""),
        ("data", TRANSACTION["data"] + b"\0"),
        ("gas", 21001),
        ("maxFeePerGas", 10**9 + 1),
        ("maxPriorityFeePerGas", 2),
    ],
)
def test_a_signer_that_changes_a_field_is_refused(
    kind: SignerKind, field: str, value: object
) -> None:
    def change(transaction: dict[str, Any]) -> dict[str, Any]:
        return transaction | {field: value}

    with (
        loopback_signer(KEY, change) as server,
        pytest.raises(SigningRefused, match=f"the signer: signed another {field}: expected 0x"),
    ):
        a_signer(server, kind).sign(TRANSACTION)


def with_access_list(transaction: dict[str, Any]) -> dict[str, Any]:
    listed = {"address": ACCOUNT, "storageKeys": ["0x" + "00" * 32]}
    return transaction | {"accessList": [listed]}


def as_legacy(transaction: dict[str, Any]) -> dict[str, Any]:
    kept = {name: transaction[name] for name in ("chainId", "nonce", "to", "value", "data", "gas")}
    return kept | {"gasPrice": transaction["maxFeePerGas"]}


def as_type_1(transaction: dict[str, Any]) -> dict[str, Any]:
    return as_legacy(transaction) | {"type": 1, "accessList": []}


@pytest.mark.parametrize(
    ("whim", "found"),
    [
        (with_access_list, "signed an access list"),
        (as_legacy, "no transaction of type 2"),
        (as_type_1, "no transaction of type 2"),
    ],
)
def test_another_kind_of_transaction_is_refused(whim: Whim, found: str) -> None:
    with loopback_signer(KEY, whim) as server, pytest.raises(SigningRefused, match=found):
        a_signer(server).sign(TRANSACTION)


def test_a_signer_configured_for_another_chain_is_refused() -> None:
    with (
        loopback_signer(KEY, chain_id=1) as server,
        pytest.raises(SigningRefused, match="another chainId: expected 0x7a69, found 0x01"),
    ):
        a_signer(server).sign(TRANSACTION)


def test_a_signature_of_another_key_is_refused() -> None:
    def by_another(_posted: Any) -> tuple[int, Any]:
        raw = signer_from_clear_key(OTHER_KEY, devnet=True).sign(TRANSACTION).raw
        return result("0x" + raw.hex())(_posted)

    with (
        loopback(by_another) as server,
        pytest.raises(SigningRefused, match=f"expected a signature of {ADDRESS}, found one of 0x7"),
    ):
        a_signer(server).sign(TRANSACTION)


def retold(change: Callable[[list[Any]], Any]) -> bytes:
    """The bytes of an honest signature, taken apart, changed and put together again."""
    raw = signer_from_clear_key(KEY, devnet=True).sign(TRANSACTION).raw
    fields = rlp.decode(raw[1:])
    return raw[:1] + rlp.encode(change(list(fields)))


def high_s(fields: list[Any]) -> list[Any]:
    """The signature's mirror image: the same signer, another hash, and no chain takes it."""
    mirrored = SECPK1_N - int.from_bytes(fields[11])
    parity = b"" if fields[9] else b"\1"
    return [*fields[:9], parity, fields[10], mirrored.to_bytes(32)]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\2",
        b"\2\xff",
        b"\2" + b"\xc1" * 5000,
        retold(lambda fields: fields[:9]),
        retold(lambda fields: [*fields, b""]),
        retold(lambda fields: [b"\0" + fields[0], *fields[1:]]),
        retold(lambda fields: [[], *fields[1:]]),
        retold(high_s),
        retold(lambda fields: [*fields[:9], b"\2", *fields[10:]]),
        retold(lambda fields: [*fields[:10], b"\0" + fields[10], fields[11]]),
        retold(lambda fields: [*fields[:10], [], fields[11]]),
        retold(lambda fields: [*fields[:10], b"", fields[11]]),
        retold(lambda fields: [*fields[:10], fields[10], b""]),
        retold(lambda fields: fields) + b"\0",
    ],
)
def test_bytes_that_are_not_the_transaction_in_its_one_form_are_refused(raw: bytes) -> None:
    with pytest.raises(SigningRefused, match="the signer: "):
        verified(raw, TRANSACTION, ADDRESS, "the signer")


def test_every_flipped_bit_of_a_signed_transaction_is_found() -> None:
    raw = signer_from_clear_key(KEY, devnet=True).sign(TRANSACTION).raw
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SigningRefused):
            verified(bytes(flipped), TRANSACTION, ADDRESS, "the signer")


@pytest.mark.parametrize("told", [None, 5, "0xzz", ["0x02"], {"tx": {}}, {"raw": 5}])
def test_a_result_that_is_no_hex_is_refused(told: object) -> None:
    with loopback(result(told)) as server, pytest.raises(SigningRefused):
        a_signer(server).sign(TRANSACTION)


def test_a_signer_that_says_no_is_told_of() -> None:
    with (
        loopback(refusing("request denied")) as server,
        pytest.raises(SignerUnavailable, match="the signer: did not sign: request denied"),
    ):
        a_signer(server, SignerKind.CLEF).sign(TRANSACTION)


def test_a_signer_that_hangs_times_out() -> None:
    with loopback_signer(KEY, delay_s=60.0) as server:
        began = time.monotonic()
        with pytest.raises(SignerUnavailable, match=r"account\.signer_url: .*nothing was signed"):
            a_signer(server, timeout_s=0.2).sign(TRANSACTION)
        assert time.monotonic() - began < 30


@pytest.mark.parametrize(("status", "body"), [(500, "oops"), (200, "<html>"), (200, "{")])
def test_a_signer_that_speaks_no_json_rpc_is_unavailable(status: int, body: str) -> None:
    with loopback(always(status, body)) as server, pytest.raises(SignerUnavailable):
        a_signer(server).sign(TRANSACTION)


def test_a_signer_that_is_not_there_is_unavailable_and_its_path_is_not_told() -> None:
    gone = Loopback("http://127.0.0.1:1/secret-token")
    with pytest.raises(SignerUnavailable) as caught:
        a_signer(gone).sign(TRANSACTION)
    assert "secret-token" not in str(caught.value)


def test_a_signer_is_asked_whether_it_has_the_account() -> None:
    with loopback_signer(KEY) as server:
        a_signer(server).require_account()
        with pytest.raises(ConfigError, match=f"the signer: does not sign for {ACCOUNT}"):
            a_signer(server, address=ACCOUNT).require_account()


def test_clef_is_not_asked_for_accounts_because_its_owner_would_have_to_answer() -> None:
    with loopback_signer(KEY) as server:
        a_signer(server, SignerKind.CLEF).require_account()
        assert [post["method"] for post in server.posts] == ["account_version"]


@pytest.mark.parametrize("told", [None, 5, {}])
def test_a_signer_that_names_no_accounts_is_refused(told: object) -> None:
    with loopback(result(told)) as server, pytest.raises(SignerUnavailable):
        a_signer(server).require_account()

"""Every way in which a vault says no has a sentence, and what follows from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_abi.abi import encode

import lpmanager
from lpmanager.abi import CustomError
from lpmanager.execution.vault_refusals import Answer, Refusal, refusal_of

ARTIFACT = Path(lpmanager.__file__).resolve().parents[1] / "contracts/artifacts/LiquidityVault.json"
ERRORS = [entry for entry in json.loads(ARTIFACT.read_text())["abi"] if entry["type"] == "error"]
SAMPLES = {
    "uint256": 1_700_000_000,
    "uint160": 2**96,
    "uint32": 600,
    "int24": -60,
    "address": "0x00000000000000000000000000000000000000a1",
}
ANSWERS = {
    Answer.RETRY: {
        "WrongSeq",
        "TooLate",
        "BurnedTooLittle",
        "SwappedTooLittle",
        "MintedTooLittle",
        "NoLiquidity",
    },
    Answer.HOLD: {
        "TooSoon",
        "PriceAway",
        "IsPaused",
        "LossPerCall",
        "LossPerDay",
        "TooFar",
        "TooNarrow",
        "NoHistory",
    },
    Answer.HALT: {
        "NotOperator",
        "TransferFailed",
        "Reentered",
        "NotPool",
        "NotInFlight",
        "BadRange",
        "NotHeld",
        "NoMinimum",
        "BadPriceLimit",
        "TooManyRanges",
    },
    Answer.ERROR: {
        "NotOwner",
        "NotPendingOwner",
        "NotGuardian",
        "ZeroAddress",
        "PoolNotOfFactory",
        "BoundsTooLoose",
        "TokenRefused",
        "TokenUntestable",
    },
}


def revert(signature: str, *values: object) -> bytes:
    error = CustomError(signature)
    types = signature[len(error.name) + 1 : -1]
    return error.selector + encode(types.split(",") if types else [], values)


def said(text: str) -> Refusal:
    return refusal_of(revert("Error(string)", text))


@pytest.mark.parametrize("entry", ERRORS, ids=[entry["name"] for entry in ERRORS])
def test_every_error_of_the_contract_has_a_sentence(entry: dict[str, object]) -> None:
    types = [i["type"] for i in entry["inputs"]]
    data = revert(f"{entry['name']}({','.join(types)})", *(SAMPLES[t] for t in types))
    refusal = refusal_of(data)
    assert refusal.name == entry["name"]
    assert len(refusal.sentence.split()) > 4
    assert "{" not in refusal.sentence
    assert refusal.name in ANSWERS[refusal.answer]


def test_no_answer_is_kept_for_an_error_that_the_contract_does_not_have() -> None:
    assert set().union(*ANSWERS.values()) == {entry["name"] for entry in ERRORS}


def test_a_sentence_says_the_numbers_as_people_read_them() -> None:
    assert refusal_of(revert("TooSoon(uint256)", 1_700_000_000)).sentence == (
        "the vault's cooldown lasts until 2023-11-14 22:13:20 UTC; nothing is done until that has "
        "changed"
    )
    assert refusal_of(revert("LossPerDay(uint256,uint256)", 10**15 + 1, 10**15 - 1)).sentence == (
        "the rebalance would lose 0.1001 % of what the vault holds, and its budget of losses has "
        "0.0999 % left; it refills within a day; nothing is done until that has changed"
    )
    assert "from tick -60 to 120" in refusal_of(revert("TooFar(int24,int24)", 120, -60)).sentence
    assert "bits 0b101" in refusal_of(revert("NotHeld(uint256)", 5)).sentence


def test_an_owner_is_told_by_which_command_a_paused_vault_goes_on() -> None:
    assert "`lpm vault unpause`" in refusal_of(revert("IsPaused()")).sentence


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("OLD", Answer.HOLD),
        ("I", Answer.HOLD),
        ("LO", Answer.HOLD),
        ("SPL", Answer.RETRY),
        ("LOK", Answer.HALT),
        ("IIA", Answer.HALT),
        ("M0", Answer.HALT),
        ("M1", Answer.HALT),
        ("TF", Answer.HALT),
    ],
)
def test_what_the_pool_itself_says_is_understood(code: str, answer: Answer) -> None:
    refusal = said(code)
    assert (refusal.name, refusal.answer) == (code, answer)
    assert refusal.sentence.startswith(f"the pool says {code}: ")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "it gave no reason, or the RPC left it out"),
        (b"\1", "for a reason that is not the vault's: custom error 0x01"),
        (b"\xde\xad\xbe\xef", "for a reason that is not the vault's: custom error 0xdeadbeef"),
        (revert("Error(string)", "TLU"), "for a reason that is not the vault's: TLU"),
        (revert("Error(string)", ""), "for a reason that is not the vault's: "),
        (revert("Panic(uint256)", 0x11), "for a reason that is not the vault's: panic 0x11"),
    ],
    ids=["nothing", "a byte", "a selector", "the pool's own fault", "no words", "a panic"],
)
def test_what_is_not_known_is_an_error(data: bytes, sentence: str) -> None:
    assert refusal_of(data) == Refusal(name="", answer=Answer.ERROR, sentence=sentence)


@pytest.mark.parametrize(
    "data",
    [
        revert("TooSoon(uint256)", 1)[:-1],
        revert("TooSoon(uint256)", 2**256 - 1),
        revert("Error(string)", "OLD")[:40],
        CustomError("Panic(uint256)").selector,
    ],
    ids=["a byte less", "a time beyond all", "half a text", "a panic without its code"],
)
def test_what_is_cut_off_or_beyond_sense_is_an_error(data: bytes) -> None:
    assert refusal_of(data).answer is Answer.ERROR

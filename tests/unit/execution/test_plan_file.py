"""A plan travels through a file unchanged, or not at all."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from builders import (
    ACCOUNT,
    CHAIN_ID,
    NO_OUTLOOK,
    VAULT,
    a_limits,
    a_market,
    a_position,
    a_record,
    a_vault,
    a_view,
    an_outlook,
    in_a_vault,
)

from lpmanager.errors import PlanRefused, UsageError
from lpmanager.execution.plan_file import (
    FORMAT,
    decision_to_json,
    read_plan,
    require_current,
    require_nothing_signed_since,
    require_of_this_chain,
    require_still_good,
    write_plan,
)
from lpmanager.model import Hold, Plan, SqrtPriceX96
from lpmanager.rebalancer import View, decide
from lpmanager.rebalancer.policies import FixedWidth

POLICY = FixedWidth(half_width_ticks=600)
VIEW = a_view(
    a_market(tick=1_005, positions=(a_position(token_id=2**200, liquidity=10**13),)),
    a_record((0, 0)),
    an_outlook(variance_rate=1e-13),
)


def decided(view: View) -> Plan | Hold:
    return decide("mine", view, POLICY, a_limits())


@pytest.fixture
def plan() -> Plan:
    decision = decided(VIEW)
    assert isinstance(decision, Plan)
    assert [action.kind for action in decision.actions] == ["withdraw", "swap", "mint"]
    return decision


@pytest.fixture
def path(tmp_path: Path, plan: Plan) -> Path:
    write_plan(plan, tmp_path / "plan.json")
    return tmp_path / "plan.json"


def test_a_plan_comes_back_as_it_was(plan: Plan, path: Path) -> None:
    assert read_plan(path) == plan


def test_a_person_can_read_the_file(path: Path) -> None:
    text = path.read_text()
    assert '"kind": "swap"' in text
    assert '"reason": "re-range with a swap; tick 1005: centre the range on the price"' in text
    assert len(text.splitlines()) > 50


def test_every_altered_value_is_noticed(plan: Plan, path: Path) -> None:
    body = json.loads(path.read_text())
    body["plan"]["actions"][1]["minimum_out"]["raw"] -= 1
    path.write_text(json.dumps(body))
    with pytest.raises(PlanRefused, match="altered"):
        read_plan(path)


def test_an_altered_byte_anywhere_is_refused_or_changes_nothing(plan: Plan, path: Path) -> None:
    original = path.read_bytes()
    for position in range(0, len(original), 97):
        changed = bytearray(original)
        changed[position] ^= 0x01
        path.write_bytes(bytes(changed))
        try:
            assert read_plan(path) == plan
        except PlanRefused:
            continue


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", "null", '"x"', '{"format": "other"}', "\xff", '{"plan": {}}']
)
def test_what_is_no_plan_is_refused(path: Path, text: str) -> None:
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(PlanRefused, match="not a plan"):
        read_plan(path)


@pytest.mark.parametrize("depth", [*range(900, 1_000), 5_000])
def test_what_is_nested_deeper_than_any_plan_is_refused(path: Path, depth: int) -> None:
    nested = "[" * depth + "]" * depth
    for text in (nested, f'{{"format": "{FORMAT}", "digest": "", "plan": {nested}}}'):
        path.write_text(text)
        with pytest.raises(PlanRefused):
            read_plan(path)


def test_a_plan_of_an_older_format_is_refused_with_what_to_do(path: Path) -> None:
    path.write_text(path.read_text().replace(FORMAT, "lpmanager-plan-0"))
    with pytest.raises(PlanRefused, match=f"not a plan of format {FORMAT}; make one with"):
        read_plan(path)


@pytest.mark.parametrize("body", [None, [], {}, {"campaign": "mine"}])
def test_a_plan_that_is_not_whole_is_refused(path: Path, body: object) -> None:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    digest = "sha256:" + hashlib.sha256(canonical).hexdigest()
    path.write_text(json.dumps({"format": FORMAT, "digest": digest, "plan": body}))
    with pytest.raises(PlanRefused, match=r"plan\.json: "):
        read_plan(path)


def test_a_file_that_cannot_be_read_or_written_is_named(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_plan(tmp_path / "nothing.json")
    with pytest.raises(UsageError, match="cannot write"):
        write_plan(plan, tmp_path / "nowhere" / "plan.json")


def test_a_plan_holds_on_its_chain_for_its_account_until_it_expires(plan: Plan) -> None:
    require_still_good(plan, chain_id=CHAIN_ID, account=ACCOUNT, now=plan.expires_at)
    with pytest.raises(PlanRefused, match="for chain 31337, this is chain 1"):
        require_still_good(plan, chain_id=1, account=ACCOUNT, now=0)
    with pytest.raises(PlanRefused, match="for account"):
        require_still_good(plan, chain_id=CHAIN_ID, account="0x1", now=0)
    with pytest.raises(PlanRefused, match="expired 1 s ago"):
        require_still_good(plan, chain_id=CHAIN_ID, account=ACCOUNT, now=plan.expires_at + 1)


def test_a_plan_for_another_pool_is_refused(plan: Plan) -> None:
    with pytest.raises(PlanRefused, match="for pool"):
        require_current(replace(plan, pool="0x1"), VIEW.snapshot, VIEW.record.usage)


def test_a_plan_holds_for_one_turn_of_its_vault() -> None:
    vaulted = in_a_vault(VIEW, a_vault(seq=7))
    plan = decided(vaulted)
    assert isinstance(plan, Plan)
    assert plan.account == ACCOUNT  # which signs, though the vault holds the tokens
    usage = vaulted.record.usage
    require_current(plan, vaulted.snapshot, usage)
    for other, message in (
        (a_vault(seq=8), "for rebalance 7 of vault .* which is at 8 by now; make a new one"),
        (a_vault(seq=6), "for rebalance 7 of vault .* which is at 6 by now"),
        (a_vault(address=f"0x{0xB2:040x}"), f"for vault {VAULT}, this is vault 0x0*b2; make"),
        (None, f"for vault {VAULT}, this is the account's own tokens"),
    ):
        with pytest.raises(PlanRefused, match=message):
            require_current(plan, replace(vaulted.snapshot, vault=other), usage)


def test_a_plan_for_the_accounts_own_tokens_is_none_for_a_vault(plan: Plan) -> None:
    vaulted = in_a_vault(VIEW)
    with pytest.raises(PlanRefused, match=f"for the account's own tokens, this is vault {VAULT}"):
        require_current(plan, vaulted.snapshot, vaulted.record.usage)


def test_another_operators_plan_for_the_vault_is_refused() -> None:
    vaulted = in_a_vault(VIEW)
    plan = decided(vaulted)
    assert isinstance(plan, Plan)
    with pytest.raises(PlanRefused, match="for account"):
        require_current(replace(plan, account=VAULT), vaulted.snapshot, vaulted.record.usage)


def test_a_plan_for_a_vault_comes_back_as_it_was(tmp_path: Path) -> None:
    plan = decided(in_a_vault(VIEW))
    assert isinstance(plan, Plan)
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan


def test_a_plan_holds_up_to_its_price_bounds(plan: Plan) -> None:
    def at(sqrt_price_x96: int) -> None:
        state = replace(VIEW.snapshot.state, sqrt_price_x96=SqrtPriceX96(sqrt_price_x96))
        require_current(plan, replace(VIEW.snapshot, state=state), VIEW.record.usage)

    at(plan.sqrt_price_min_x96)
    at(plan.sqrt_price_max_x96)
    for outside in (plan.sqrt_price_min_x96 - 1, plan.sqrt_price_max_x96 + 1):
        with pytest.raises(PlanRefused, match="price has left the plan's bounds"):
            at(outside)


def test_a_plan_that_was_carried_out_once_is_refused(plan: Plan) -> None:
    before = replace(VIEW.record.usage, last_move_at=plan.block.timestamp)
    require_current(plan, VIEW.snapshot, before)
    after = replace(VIEW.record.usage, last_move_at=plan.block.timestamp + 1)
    with pytest.raises(PlanRefused, match="has moved since"):
        require_current(plan, VIEW.snapshot, after)


def test_a_plan_is_refused_once_its_signer_has_signed_anything_else(plan: Plan) -> None:
    require_nothing_signed_since(plan, VIEW.snapshot.wallet.nonce)
    for nonce in (plan.nonce + 1, plan.nonce - 1):
        with pytest.raises(PlanRefused, match=f"had {plan.nonce} transactions .* has {nonce} now"):
            require_nothing_signed_since(plan, nonce)


def test_a_plan_of_a_block_that_the_chain_does_not_have_is_refused(plan: Plan) -> None:
    require_of_this_chain(plan, plan.block.hash)
    for found, says in (("0x" + "11" * 32, "0x11"), (None, "none yet: .* try again")):
        made = f"made at block {plan.block.number}, .* has {says}.*; make a new"
        with pytest.raises(PlanRefused, match=made):
            require_of_this_chain(plan, found)


def test_plans_and_holds_are_json(plan: Plan) -> None:
    assert json.loads(json.dumps(decision_to_json(plan)))["decision"] == "plan"
    hold = decided(replace(VIEW, outlook=NO_OUTLOOK))
    told = json.loads(json.dumps(decision_to_json(hold)))
    assert told["decision"] == "hold"
    assert [gate["name"] for gate in told["gates"] if not gate["passed"]] == ["history"]

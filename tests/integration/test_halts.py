"""`lpm` halts a campaign by itself where it must, and goes on where its owner says so."""

from __future__ import annotations

from live_desk import ETHER, Desk

from lpmanager.abi import Function
from lpmanager.chain.node import Question
from lpmanager.devnet.orders import Trade

_SEND_NFT = Function("transferFrom(address,address,uint256)")
_SOMEBODY = "0x" + "55" * 20


def gives_position_away(desk: Desk) -> int:
    """The owner sends an NFT of the campaign to somebody, by a transaction of their own; its id."""
    positions = desk.json("status")["campaigns"]["main"]["positions"]
    token_id: int = positions[0]["token_id"]
    controls, manager = desk.devnet.controls, desk.devnet.deployment.position_manager
    controls.node.ask(Question("anvil_impersonateAccount", [desk.account], lambda _: None))
    data = _SEND_NFT.encode(desk.account, _SOMEBODY, token_id)
    controls.execute(desk.account, manager, data, what="by hand")
    return token_id


def weth_falls(desk: Desk) -> None:
    """Somebody sells WETH in the pool."""
    order = Trade(zero_for_one=False, raw_in=200 * ETHER)
    deployment, operator = desk.devnet.deployment, desk.devnet.backend.accounts[1]
    data = order.calldata(deployment.pool.address)
    desk.devnet.controls.execute(operator, deployment.flow_trader, data, what="a trade")


def halted(desk: Desk) -> str | None:
    reason: str | None = desk.json("status")["campaigns"]["main"]["halted"]
    return reason


def test_what_was_given_away_by_hand_halts_until_the_owner_says_that_it_was_theirs(
    desk: Desk,
) -> None:
    assert desk.lpm("run", "--once", "--live").returncode == 0
    token_id = gives_position_away(desk)
    stopped = desk.lpm("run", "--once", "--live")
    assert stopped.returncode == 1
    assert f"position {token_id} is in the books but not in the chain" in stopped.stderr
    assert 'set changed_by_hand = "adopt"' in stopped.stderr

    desk.edit('policy = "fixed_width"', 'changed_by_hand = "adopt"\npolicy = "fixed_width"')
    assert desk.lpm("resume", "main", "--yes").returncode == 0
    taken_in = desk.lpm("run", "--once", "--live")
    assert taken_in.returncode == 0, taken_in.stderr
    assert "changed by hand, and taken into the books" in taken_in.stderr
    report = desk.json("report")["campaigns"]["main"]
    assert report["identity_error"] == "0"
    (change,) = report["changed_by_hand"]
    assert change["what"] == f"position {token_id} is in the books but not in the chain"
    assert "changed by hand, and taken into the books" in desk.lpm("report").stdout
    again = desk.lpm("run", "--once", "--live")
    assert again.returncode == 0, again.stderr
    assert halted(desk) is None


def test_a_loss_beyond_the_days_limit_halts_before_anything_is_signed(desk: Desk) -> None:
    desk.edit("min_interval_s", 'max_loss_per_day = "0.001"\nmin_interval_s')
    assert desk.lpm("run", "--once", "--live").returncode == 0
    signed = desk.devnet.controls.nonce(desk.account)
    weth_falls(desk)
    stopped = desk.lpm("run", "--once", "--live")
    assert stopped.returncode == 1
    assert "limits.max_loss_per_day allows 0.1 %" in stopped.stderr
    assert desk.devnet.controls.nonce(desk.account) == signed
    assert str(halted(desk)).startswith("it lost ")
    assert desk.lpm("resume", "main", "--yes").returncode == 0
    again = desk.lpm("run", "--once", "--live")
    assert again.returncode == 0, again.stderr

"""What a user or the world can get wrong: one clear line, the exit code, nothing half done."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from builders import a_block
from live_desk import ETHER, Desk, Devnet, Done, give_tokens

from lpmanager.abi import Function
from lpmanager.chain.artifacts import own_artifact
from lpmanager.devnet.deploy import created_address, fund
from lpmanager.devnet.orders import AddLiquidity
from lpmanager.execution.calldata import approve_call
from lpmanager.execution.plan_file import read_plan, write_plan
from lpmanager.model import Liquidity, PoolKey, TickRange
from lpmanager.venues.uniswap_v3 import UniswapV3

READING = ("status", "plan", "report")
LIVE = (("run", "--once", "--live"), ("run", "--once"))
CREATE_POOL = Function("createPool(address,address,uint24)")
GET_POOL = Function("getPool(address,address,uint24)", "(address)")
INITIALIZE = Function("initialize(uint160)")
MINT_TOKEN = Function("mint(address,uint256)")
TAX = Function("tax(address,address)")
PRICE_ONE = 2**96


def refused(done: Done, code: int, *words: str) -> str:
    """The one line with which a command was refused."""
    assert done.returncode == code, (done.returncode, done.stderr)
    (line,) = done.stderr.splitlines()
    assert line.startswith("lpm: ")
    for word in words:
        assert word in line
    return line


def new_pool(devnet: Devnet, one: str, other: str, fee_pips: int) -> str:
    low, high = sorted((one, other), key=lambda address: int(address, 16))
    factory, operator = devnet.deployment.factory, devnet.backend.accounts[0]
    create = CREATE_POOL.encode(low, high, fee_pips)
    devnet.controls.execute(operator, factory, create, what="pool")
    node = devnet.controls.node
    pool = node.call(GET_POOL.call(factory, low, high, fee_pips, read=str), node.head())
    devnet.controls.execute(operator, pool, INITIALIZE.encode(PRICE_ONE), what="initialize")
    return pool


def mint_for(devnet: Devnet, owner: str, pool: PoolKey, tick_range: TickRange) -> int:
    """A position NFT for an owner, paid by the devnet's operator; its id."""
    d, operator = devnet.deployment, devnet.backend.accounts[0]
    amounts = pool.amounts(10**9, 10**18)
    fund(devnet.backend, d, operator, amounts)
    for amount in (amounts.amount0, amounts.amount1):
        call = approve_call(amount, d.position_manager)
        devnet.controls.execute(operator, call.to, call.data, what=call.what)
    venue = UniswapV3(
        factory=d.factory,
        position_manager=d.position_manager,
        swap_router=d.swap_router,
        quoter=d.quoter,
        tick_lens=d.tick_lens,
        swap_router_has_deadline=True,
    )
    data = venue.mint(pool, tick_range, amounts, pool.amounts(0, 0), owner, 2**40)
    devnet.controls.execute(operator, d.position_manager, data, what="mint")
    node = devnet.controls.node
    count = node.call(venue.position_count(owner), node.head())
    return node.call(venue.position_id(owner, count - 1), node.head())


@pytest.mark.parametrize("verb", [*READING, "run --once", "run --once --live"])
def test_no_rpc(poor_desk: Desk, verb: str) -> None:
    done = poor_desk.lpm(*verb.split(), LPM_RPC_URL="http://127.0.0.1:1/secret-key")
    line = refused(done, 4, "main: http://127.0.0.1:1: no answer", "check the RPC URL")
    assert "secret-key" not in line


def test_doctor_without_rpc_looks_at_what_it_can(poor_desk: Desk) -> None:
    done = poor_desk.lpm("doctor", "--json", LPM_RPC_URL="http://127.0.0.1:1")
    assert done.returncode == 4
    checks = json.loads(done.stdout)["checks"]
    failed = {c["name"] for c in checks if not c["passed"]}
    assert "RPC http://127.0.0.1:1" in failed
    looked_at = {c["name"] for c in checks if c["passed"]}
    assert looked_at >= {"database", "signing key", "lock on devnet", "disk", "journal", "halt"}


def test_no_rpc_configured(poor_desk: Desk) -> None:
    (poor_desk.folder / ".env").write_text("")
    refused(poor_desk.lpm("status"), 3, "LPM_RPC_URL: missing")


@pytest.mark.parametrize("verb", [*READING, "run --once --live"])
def test_another_chain_than_configured(poor_desk: Desk, verb: str) -> None:
    poor_desk.edit("chain_id = 31337", "chain_id = 4242")
    refused(poor_desk.lpm(*verb.split()), 4, "serves chain 31337", "says 4242")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('quote = "USDC"', 'qoute = "USDC"', "campaigns.main.qoute"),
        ("min_interval_s = 0", "min_interval_s = true", "campaigns.main.limits.min_interval_s"),
        ("half_width_ticks = 600", 'half_width_ticks = "6"', "campaigns.main.options.half_width"),
        ('quote = "USDC"', 'quote = "DAI"', "campaigns.main.quote"),
    ],
)
def test_a_wrong_key_or_value_is_named_by_its_path(
    poor_desk: Desk, old: str, new: str, key: str
) -> None:
    poor_desk.edit(old, new)
    done = poor_desk.lpm("status")
    assert done.returncode == 3
    assert f"lpm: {key}" in done.stderr


def test_an_unknown_campaign(poor_desk: Desk) -> None:
    refused(poor_desk.lpm("status", "mian"), 2, "no campaign 'mian'", "main")


def test_a_pool_that_does_not_exist(poor_desk: Desk) -> None:
    deployment = poor_desk.devnet.deployment
    nowhere = "0x" + "ab" * 20
    poor_desk.edit(deployment.pool.address, nowhere)
    refused(poor_desk.lpm("plan"), 3, "there is no contract at this address")


def test_a_pair_without_a_pool_of_that_fee(poor_desk: Desk) -> None:
    pool = poor_desk.devnet.deployment.pool
    tokens = f'token0 = "{pool.token0.address}"\ntoken1 = "{pool.token1.address}"\nfee = 10000'
    poor_desk.edit(f'pool = "{pool.address}"', tokens)
    refused(poor_desk.lpm("plan"), 3, "no pool of", "10000 pips")


def test_tokens_in_the_wrong_order(poor_desk: Desk) -> None:
    pool = poor_desk.devnet.deployment.pool
    tokens = f'token0 = "{pool.token1.address}"\ntoken1 = "{pool.token0.address}"\nfee = 500'
    poor_desk.edit(f'pool = "{pool.address}"', tokens)
    refused(poor_desk.lpm("plan"), 3, "campaigns.main", "swap token0 and token1")


def test_a_token_that_takes_a_fee_on_transfer(poor_desk: Desk) -> None:
    devnet = poor_desk.devnet
    operator, trader = devnet.backend.accounts[0], devnet.deployment.flow_trader
    typed = ("string", "string", "uint8", "uint256"), ("Taxed", "TAX", 18, 10_000)
    nonce = devnet.controls.nonce(operator)
    creation = own_artifact("FeeOnTransferToken").creation(*typed)
    devnet.controls.execute(operator, None, creation, what="token")
    taxed = created_address(operator, nonce)
    pool = new_pool(devnet, taxed, devnet.deployment.wrapped_native, 500)
    devnet.controls.execute(operator, taxed, MINT_TOKEN.encode(trader, 10**24), what="mint")
    order = AddLiquidity(range=TickRange(-1_000, 1_000), liquidity=Liquidity(10**18))
    devnet.controls.execute(operator, trader, order.calldata(pool), what="liquidity")
    devnet.controls.execute(operator, taxed, TAX.encode(pool, "0x" + "00" * 20), what="tax")
    poor_desk.edit(devnet.deployment.pool.address, pool)
    refused(poor_desk.lpm("run", "--once", "--live"), 4, "TAX", "fee-on-transfer")
    checks = json.loads(poor_desk.lpm("doctor", "--json").stdout)["checks"]
    assert {c["name"]: c["passed"] for c in checks}["tokens"] is False


def test_a_position_of_somebody_else(poor_desk: Desk) -> None:
    devnet = poor_desk.devnet
    other = devnet.backend.accounts[5]
    token_id = mint_for(devnet, other, devnet.deployment.pool, TickRange(198_000, 200_000))
    poor_desk.edit('quote = "USDC"', f'quote = "USDC"\npositions = [{token_id}]')
    refused(poor_desk.lpm("status"), 3, f"position {token_id} belongs to {other}")


def test_a_position_of_another_pool(poor_desk: Desk) -> None:
    devnet = poor_desk.devnet
    ours = devnet.deployment.pool
    address = new_pool(devnet, ours.token0.address, ours.token1.address, 3_000)
    pool = replace(ours, address=address, fee_pips=3_000, tick_spacing=60)
    token_id = mint_for(devnet, poor_desk.account, pool, TickRange(-600, 600))
    poor_desk.edit('quote = "USDC"', f'quote = "USDC"\npositions = [{token_id}]')
    refused(poor_desk.lpm("status"), 3, f"position {token_id} is of another pool")


@pytest.mark.parametrize("verb", [*READING, "run --once --live"])
def test_a_corrupt_database(poor_desk: Desk, verb: str) -> None:
    store = poor_desk.folder / "lpmanager.db"
    store.write_bytes(b"not a database, " * 100)
    refused(poor_desk.lpm(*verb.split()), 1, "lpmanager.db: the database cannot be read")
    assert store.read_bytes() == b"not a database, " * 100


@pytest.mark.parametrize("verb", ["status", "run --once --live"])
def test_a_database_of_another_program(poor_desk: Desk, verb: str) -> None:
    store = poor_desk.folder / "lpmanager.db"
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("create table songs (title text)")
    before = store.read_bytes()
    refused(poor_desk.lpm(*verb.split()), 1, "another program's database", "songs")
    assert store.read_bytes() == before


def test_a_folder_in_place_of_a_database(poor_desk: Desk) -> None:
    (poor_desk.folder / "lpmanager.db").mkdir()
    refused(poor_desk.lpm("status"), 1, "the database cannot be read")


@pytest.fixture
def plan_file(desk: Desk) -> Path:
    assert desk.lpm("plan", "--out", "p.json").returncode == 0
    return desk.folder / "p.json"


@pytest.mark.parametrize("live", [(), ("--live",)])
def test_a_plan_that_was_altered(desk: Desk, plan_file: Path, live: tuple[str, ...]) -> None:
    content = json.loads(plan_file.read_text())
    content["plan"]["expires_at"] += 10**6
    plan_file.write_text(json.dumps(content))
    refused(desk.lpm("execute", "p.json", *live), 5, "was altered")


@pytest.mark.parametrize("live", [(), ("--live",)])
def test_a_plan_that_expired(desk: Desk, live: tuple[str, ...]) -> None:
    desk.edit('plan_ttl_s = "10m"', 'plan_ttl_s = "1s"')
    assert desk.lpm("plan", "--out", "p.json").returncode == 0
    for _ in range(3):
        desk.devnet.refresh()
    refused(desk.lpm("execute", "p.json", *live), 5, "expired")


@pytest.mark.parametrize("live", [(), ("--live",)])
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("chain_id", 1, "for chain 1"),
        ("account", "0x" + "11" * 20, "for account"),
        ("pool", "0x" + "22" * 20, "for pool"),
        ("campaign", "other", "for campaign other"),
        ("sqrt_price_min_x96", 2**159, "price has left"),
        ("nonce", 1, "had 1 transactions mined when the plan was made, and has 0 now"),
        ("block", a_block(0), "made at block 0, "),
    ],
)
def test_a_plan_for_somewhere_else(
    desk: Desk, plan_file: Path, field: str, value: object, words: str, live: tuple[str, ...]
) -> None:
    write_plan(replace(read_plan(plan_file), **{field: value}), plan_file)
    refused(desk.lpm("execute", "p.json", *live), 5, words)
    assert desk.devnet.controls.nonce(desk.account) == 0


def test_a_file_that_is_no_plan(desk: Desk) -> None:
    refused(desk.lpm("execute", "lpmanager.toml"), 5, "not JSON")
    refused(desk.lpm("execute", "nothing.json"), 2, "cannot read")


def test_no_twap_history_is_a_hold(desk: Desk) -> None:
    desk.edit('plan_ttl_s = "10m"', 'plan_ttl_s = "10m"\ntwap_window_s = "2d"')
    held = desk.json("plan")["campaigns"]["main"]
    assert held["decision"] == "hold"
    gates = {gate["name"]: gate for gate in held["gates"]}
    assert gates["TWAP"]["passed"] is False
    assert gates["TWAP"]["measured"] == "no history"
    refused(desk.lpm("plan", "--out", "p.json"), 5, "TWAP: no history", "nothing was written")
    assert not (desk.folder / "p.json").exists()
    assert "increaseObservationCardinalityNext" in desk.lpm("plan").stdout.replace("\n", "")
    assert desk.lpm("doctor").returncode == 4


def test_a_wallet_that_cannot_pay_for_gas_holds(poor_desk: Desk) -> None:
    give_tokens(poor_desk, 50_000 * 10**6, 22 * ETHER)
    held = poor_desk.json("plan")["campaigns"]["main"]
    assert held["decision"] == "hold"
    assert [g["name"] for g in held["gates"] if not g["passed"]] == ["gas money"]
    assert poor_desk.lpm("run", "--once", "--live").returncode == 0
    assert poor_desk.devnet.controls.nonce(poor_desk.account) == 0


def test_one_file_cannot_hold_two_plans(desk: Desk) -> None:
    text = desk.config.read_text()
    other = text[text.index("[campaigns.main]") : text.index("[chains.devnet]")]
    other = other.replace("campaigns.main", "campaigns.aside")
    other = other.replace(desk.devnet.deployment.pool.address, "0x" + "ab" * 20)
    desk.edit("[campaigns.main]", other + "[campaigns.main]")
    refused(desk.lpm("plan", "--out", "p.json"), 2, "--out takes one plan")
    assert desk.lpm("plan", "main", "--out", "p.json").returncode == 0


def test_json_of_an_endless_run_is_refused(poor_desk: Desk) -> None:
    refused(poor_desk.lpm("run", "--json"), 2, "--once")


def test_a_key_that_signs_for_another_account(poor_desk: Desk) -> None:
    done = poor_desk.lpm("run", "--once", "--live", LPM_PRIVATE_KEY="0x" + "11" * 32)
    refused(done, 3, "account.address", "the key signs for")

"""A token that does not deliver what is sent is found out before any deposit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lpmanager.abi import Function
from lpmanager.chain.artifacts import Artifact, own_artifact
from lpmanager.chain.token_probe import (
    Finding,
    TokenFinding,
    Unchecked,
    require_exact,
    token_probe_question,
)
from lpmanager.devnet.anvil import AnvilBackend, Fresh
from lpmanager.devnet.backend import Backend, Controls
from lpmanager.devnet.deploy import created_address
from lpmanager.devnet.npm import core_artifact
from lpmanager.devnet.tester import EthTesterBackend
from lpmanager.errors import TokenRefused
from lpmanager.model import PoolKey, Token

GENESIS = 1_704_000_000
PRICE_ONE = 2**96
MINT_TOKEN = Function("mint(address,uint256)")
MINT_LIQUIDITY = Function("mint(address,int24,int24,uint128)")
CREATE_POOL = Function("createPool(address,address,uint24)")
GET_POOL = Function("getPool(address,address,uint24)", "(address)")
INITIALIZE = Function("initialize(uint160)")
TAX = Function("tax(address,address)")


@dataclass(frozen=True)
class Bench:
    """A chain with a factory and a trader, and pools made on demand."""

    backend: Backend
    factory: str
    trader: str

    def create(self, name: str, *typed: tuple[str, object]) -> str:
        return create(self.backend, own_artifact(name), typed)

    def send(self, to: str, data: bytes) -> None:
        Controls(self.backend).execute(self.backend.accounts[0], to, data, what="a step")

    def pool(self, one: str, other: str, liquidity: int) -> PoolKey:
        low, high = sorted((one, other), key=lambda address: int(address, 16))
        self.send(self.factory, CREATE_POOL.encode(low, high, 500))
        node = Controls(self.backend).node
        address = node.call(GET_POOL.call(self.factory, low, high, 500, read=str), node.head())
        self.send(address, INITIALIZE.encode(PRICE_ONE))
        if liquidity:
            for token in (low, high):
                self.send(token, MINT_TOKEN.encode(self.trader, 10**24))
            self.send(self.trader, MINT_LIQUIDITY.encode(address, -1_000, 1_000, liquidity))
        token0, token1 = (
            Token(chain_id=self.backend.chain_id, address=address, symbol=name, decimals=18)
            for address, name in ((low, "LOW"), (high, "HIGH"))
        )
        return PoolKey(address=address, token0=token0, token1=token1, fee_pips=500, tick_spacing=10)

    def probe(self, pool: PoolKey) -> dict[str, Finding]:
        node = Controls(self.backend).node
        findings = node.ask(token_probe_question(pool, node.head()))
        return {finding.token.address: finding for finding in findings}


def create(backend: Backend, artifact: Artifact, typed: tuple[tuple[str, object], ...]) -> str:
    controls, sender = Controls(backend), backend.accounts[0]
    nonce = controls.nonce(sender)
    creation = artifact.creation(tuple(t for t, _ in typed), tuple(v for _, v in typed))
    controls.execute(sender, None, creation, what="a deployment")
    return created_address(sender, nonce)


@pytest.fixture(scope="module", params=["eth-tester", "anvil"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made: Backend = (
        EthTesterBackend(GENESIS)
        if request.param == "eth-tester"
        else AnvilBackend(Fresh(genesis_timestamp=GENESIS))
    )
    with made as backend:
        factory = create(backend, core_artifact("UniswapV3Factory"), ())
        trader = create(backend, own_artifact("FlowTrader"), ())
        yield Bench(backend, factory, trader)


@pytest.fixture
def plain(bench: Bench) -> str:
    return bench.create("TestToken", ("string", "Plain"), ("string", "PLN"), ("uint8", 18))


@pytest.fixture
def taxed(bench: Bench) -> str:
    return bench.create(
        "FeeOnTransferToken",
        ("string", "Taxed"),
        ("string", "TAX"),
        ("uint8", 18),
        ("uint256", 100),
    )


def test_plain_and_no_return_tokens_pass(bench: Bench, plain: str) -> None:
    findings = bench.probe(bench.pool(plain, bench.create("NoReturnToken"), 10**18))
    for finding in findings.values():
        assert isinstance(finding, TokenFinding)
        assert finding.sent > 0
        require_exact(finding)


def test_the_probe_leaves_no_trace(bench: Bench, plain: str) -> None:
    pool = bench.pool(plain, bench.create("NoReturnToken"), 10**18)
    head = Controls(bench.backend).node.head()
    assert bench.probe(pool) == bench.probe(pool)
    assert Controls(bench.backend).node.head() == head


def test_a_fee_on_the_way_out_of_the_pool_is_found(bench: Bench, plain: str, taxed: str) -> None:
    pool = bench.pool(plain, taxed, 10**18)
    bench.send(taxed, TAX.encode(pool.address, "0x" + "00" * 20))
    findings = bench.probe(pool)
    require_exact(findings[plain])
    finding = findings[taxed]
    assert isinstance(finding, TokenFinding)
    assert finding.received == finding.sent - finding.sent // 10_000
    with pytest.raises(TokenRefused, match="does not deliver what is sent"):
        require_exact(finding)


def test_a_fee_on_the_way_into_the_pool_is_found(bench: Bench, plain: str, taxed: str) -> None:
    pool = bench.pool(plain, taxed, 10**18)
    bench.send(taxed, TAX.encode("0x" + "00" * 19 + "01", pool.address))
    finding = bench.probe(pool)[taxed]
    assert isinstance(finding, TokenFinding)
    assert finding.received == finding.sent
    assert finding.arrived < finding.returned
    with pytest.raises(TokenRefused, match="fee-on-transfer"):
        require_exact(finding)


def test_an_empty_pool_says_that_nothing_could_be_checked(bench: Bench, plain: str) -> None:
    other = bench.create("NoReturnToken")
    for finding in bench.probe(bench.pool(plain, other, 0)).values():
        assert isinstance(finding, Unchecked)
        with pytest.raises(TokenRefused, match="could not be checked: the pool holds too little"):
            require_exact(finding)


@pytest.mark.parametrize(
    ("held", "sent"),
    [(9_999, None), (10_000, 10_000), (159_999, 159_999), (160_000, 10_000), (320_000, 20_000)],
)
def test_a_sixteenth_is_lent_or_all_where_that_is_little(
    bench: Bench, plain: str, held: int, sent: int | None
) -> None:
    pool = bench.pool(plain, bench.create("NoReturnToken"), 20)  # a unit of each token
    for token in (pool.token0, pool.token1):
        bench.send(token.address, MINT_TOKEN.encode(pool.address, held - 1))
    for finding in bench.probe(pool).values():
        assert isinstance(finding, Unchecked if sent is None else TokenFinding)
        assert sent is None or (isinstance(finding, TokenFinding) and finding.sent == sent)


def test_a_pool_that_lends_nothing_says_why(bench: Bench, plain: str) -> None:
    pool = bench.pool(plain, bench.create("NoReturnToken"), 0)
    bench.send(plain, MINT_TOKEN.encode(pool.address, 10**18))
    finding = bench.probe(pool)[plain]
    assert isinstance(finding, Unchecked)
    assert "flash loan failed (L)" in finding.reason

"""Puts a market on an empty chain: Uniswap v3 as published, two tokens, one pool, a trader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from rlp import encode as rlp_encode

from lpmanager.abi import Function
from lpmanager.chain.artifacts import Artifact, own_artifact
from lpmanager.chain.node import Receipt
from lpmanager.devnet.backend import Backend, Controls
from lpmanager.devnet.npm import core_artifact, periphery_artifact
from lpmanager.model import Amounts, PoolKey, SqrtPriceX96, Token

_ZERO_ADDRESS = "0x" + "00" * 20

_CREATE_POOL = Function("createPool(address,address,uint24)")
_GET_POOL = Function("getPool(address,address,uint24)", "(address)")
_SPACING = Function("feeAmountTickSpacing(uint24)", "(int24)")
_INITIALIZE = Function("initialize(uint160)")
_GROW_ORACLE = Function("increaseObservationCardinalityNext(uint16)")
_MINT = Function("mint(address,uint256)")
_DEPOSIT = Function("deposit()")
_TRANSFER = Function("transfer(address,uint256)")

#: What the market's own trader gets, in raw units: more than any flow can move.
_TRADER_STABLE_RAW = 2**120
_TRADER_NATIVE_RAW = 500_000_000 * 10**18

#: Oracle slots made ready at a time: each costs about 22,000 gas.
_ORACLE_STEP = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSpec:
    """The pool to make. `token0` says which of the two tokens gets the lower address."""

    token0: Literal["USDC", "WETH"]
    fee_pips: int
    sqrt_price_x96: SqrtPriceX96
    #: how many observations the pool's oracle can keep, for the TWAP
    oracle_slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Where everything is. Addresses are checksummed."""

    chain_id: int
    factory: str
    position_manager: str
    swap_router: str
    quoter: str
    tick_lens: str
    wrapped_native: str
    stable: str
    pool: PoolKey
    flow_trader: str


def deploy(backend: Backend, spec: MarketSpec) -> Deployment:
    """Deploy all of it from the first dev account; the same account and spec give the same
    addresses on every backend. Automine must be on. TransactionFailed where a step reverts."""
    site = _Site(backend)
    stable, wrapped = _deploy_tokens(site, spec)
    factory = site.create(core_artifact("UniswapV3Factory"))
    of_periphery = ("address", "address"), (factory, wrapped)
    router = site.create(periphery_artifact("SwapRouter"), *of_periphery)
    # No descriptor: it only draws the picture of a position's NFT.
    manager = site.create(
        periphery_artifact("NonfungiblePositionManager"),
        ("address", "address", "address"),
        (factory, wrapped, _ZERO_ADDRESS),
    )
    quoter = site.create(periphery_artifact("QuoterV2", "lens/"), *of_periphery)
    tick_lens = site.create(periphery_artifact("TickLens", "lens/"))
    trader = site.create(own_artifact("FlowTrader"))
    usdc = Token(chain_id=backend.chain_id, address=stable, symbol="USDC", decimals=6)
    weth = Token(chain_id=backend.chain_id, address=wrapped, symbol="WETH", decimals=18)
    pair = (usdc, weth) if spec.token0 == "USDC" else (weth, usdc)
    deployment = Deployment(
        chain_id=backend.chain_id,
        factory=factory,
        position_manager=manager,
        swap_router=router,
        quoter=quoter,
        tick_lens=tick_lens,
        wrapped_native=wrapped,
        stable=stable,
        pool=_create_pool(site, factory, pair, spec),
        flow_trader=trader,
    )
    _fund(site, deployment, trader, _TRADER_STABLE_RAW, _TRADER_NATIVE_RAW)
    return deployment


def fund(backend: Backend, deployment: Deployment, account: str, amounts: Amounts) -> None:
    """Give an account both tokens, made from nothing and wrapped from the first dev account."""
    raw = {amount.token.address: amount.raw for amount in (amounts.amount0, amounts.amount1)}
    site = _Site(backend)
    _fund(site, deployment, account, raw[deployment.stable], raw[deployment.wrapped_native])


class _Site:
    """The first dev account at work."""

    def __init__(self, backend: Backend) -> None:
        self.sender = backend.accounts[0]
        self.controls = Controls(backend)

    def create(
        self, artifact: Artifact, types: tuple[str, ...] = (), arguments: tuple[object, ...] = ()
    ) -> str:
        nonce = self.controls.nonce(self.sender)
        self.controls.execute(
            self.sender, None, artifact.creation(types, arguments), what=f"deploy {artifact.name}"
        )
        return created_address(self.sender, nonce)

    def send(self, to: str, data: bytes, what: str, value: int = 0) -> Receipt:
        return self.controls.execute(self.sender, to, data, value=value, what=what)


def created_address(sender: str, nonce: int) -> str:
    """The address of the contract that a sender's transaction with this nonce creates."""
    origin = rlp_encode([bytes.fromhex(sender[2:]), nonce])
    return to_checksum_address(keccak(origin)[-20:])


def _deploy_tokens(site: _Site, spec: MarketSpec) -> tuple[str, str]:
    """USDC and WETH. The address of a contract is known before it is made, so the order in which
    the two are made decides which of them is token0."""
    nonce = site.controls.nonce(site.sender)
    first, second = (created_address(site.sender, nonce + step) for step in (0, 1))
    first_is_token0 = int(first, 16) < int(second, 16)
    usdc = own_artifact("TestToken"), ("string", "string", "uint8"), ("USD Coin", "USDC", 6)
    weth = own_artifact("WrappedNative"), (), ()
    if first_is_token0 == (spec.token0 == "USDC"):
        return site.create(*usdc), site.create(*weth)
    wrapped = site.create(*weth)
    return site.create(*usdc), wrapped


def _create_pool(site: _Site, factory: str, pair: tuple[Token, Token], spec: MarketSpec) -> PoolKey:
    token0, token1 = pair
    site.send(
        factory,
        _CREATE_POOL.encode(token0.address, token1.address, spec.fee_pips),
        "create the pool",
    )
    node = site.controls.node
    pool, spacing = node.call_many(
        [
            _GET_POOL.call(
                factory, token0.address, token1.address, spec.fee_pips, read=to_checksum_address
            ),
            _SPACING.call(factory, spec.fee_pips, read=int),
        ],
        node.head(),
    )
    site.send(pool, _INITIALIZE.encode(spec.sqrt_price_x96), "initialize the pool")
    for slots in range(_ORACLE_STEP, spec.oracle_slots + _ORACLE_STEP, _ORACLE_STEP):
        grown = min(slots, spec.oracle_slots)
        site.send(pool, _GROW_ORACLE.encode(grown), "grow the pool's oracle")
    return PoolKey(
        address=pool,
        token0=token0,
        token1=token1,
        fee_pips=spec.fee_pips,
        tick_spacing=spacing,
    )


def _fund(
    site: _Site, deployment: Deployment, account: str, stable_raw: int, native_raw: int
) -> None:
    wrapped = deployment.wrapped_native
    site.send(deployment.stable, _MINT.encode(account, stable_raw), "mint USDC")
    site.send(wrapped, _DEPOSIT.encode(), "wrap native coins", value=native_raw)
    site.send(wrapped, _TRANSFER.encode(account, native_raw), "hand over WETH")

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SqrtPriceMath} from "@uniswap/v4-core/src/libraries/SqrtPriceMath.sol";
import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";

import {LiquidityVault} from "../src/LiquidityVault.sol";
import {IVault} from "../src/vault/IVault.sol";
import {TestToken} from "../src/test/TestToken.sol";
import {IFactory, IPool, IToken} from "../src/vault/IUniswapV3.sol";
import {Worth} from "../src/vault/Worth.sol";
import {Market} from "./Market.sol";
import {vm} from "./Vm.sol";

interface IFactoryFull is IFactory {
    function createPool(address tokenA, address tokenB, uint24 fee) external returns (address);
}

interface IPoolFull is IPool {
    function initialize(uint160 sqrtPriceX96) external;
    function increaseObservationCardinalityNext(uint16 next) external;
    function liquidity() external view returns (uint128);
}

/// @notice The deployed bytecode of Uniswap v3, a market with a history, and a funded vault.
abstract contract Bench {
    string internal constant FACTORY =
        "node_modules/@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json";

    address internal constant OWNER = address(0xA11CE);
    address internal constant OPERATOR = address(0x0B07);
    address internal constant GUARDIAN = address(0x6A4D);
    address internal constant STRANGER = address(0x57A6);
    uint24 internal constant FEE = 500;
    uint256 internal constant FUNDS = 100e18;

    IFactoryFull internal factory;
    IPoolFull internal pool;
    TestToken internal token0;
    TestToken internal token1;
    Market internal market;
    LiquidityVault internal vault;

    function setUp() public virtual {
        vm.warp(1_700_000_000);
        factory = IFactoryFull(_deploy(vm.getCode(FACTORY)));
        (token0, token1) = (new TestToken("Zero", "ZERO", 18), new TestToken("One", "ONE", 18));
        if (address(token0) > address(token1)) (token0, token1) = (token1, token0);
        market = new Market();
        token0.mint(address(market), 1e60);
        token1.mint(address(market), 1e60);
        pool = _pool(address(token0), address(token1), 0);
        vault = _vault();
        _fund(FUNDS);
    }

    // --- making things ---

    function _deploy(bytes memory code) internal returns (address at) {
        assembly ("memory-safe") {
            at := create(0, add(code, 32), mload(code))
        }
        require(at != address(0), "not deployed");
    }

    function _pool(address a, address b, int24 tick) internal returns (IPoolFull made) {
        made = IPoolFull(factory.createPool(a, b, FEE));
        made.initialize(TickMath.getSqrtPriceAtTick(tick));
        made.increaseObservationCardinalityNext(300);
        market.add(made, -887270, 887270, 1e22);
        for (uint256 i = 0; i < 20; i++) {
            _wait(60);
            market.swap(made, i % 2 == 0, 1e15);
        }
    }

    function _vault() internal returns (LiquidityVault) {
        return new LiquidityVault(factory, pool, OWNER, OPERATOR, GUARDIAN, _bounds());
    }

    function _bounds() internal pure returns (IVault.Bounds memory) {
        return IVault.Bounds({
            twapWindow: 300,
            maxDeviation: 100,
            minWidth: 60,
            maxMove: 2_000,
            cooldown: 600,
            maxLossPerCall: 3_000,
            maxLossPerDay: 10_000
        });
    }

    function _fund(uint256 amount) internal {
        token0.mint(address(vault), amount);
        token1.mint(address(vault), amount);
    }

    // --- orders ---

    function _order() internal pure returns (IVault.Rebalance memory order) {
        order.burn0Min = 1;
    }

    /// @dev Of about this liquidity: what it takes at today's price is what is desired.
    function _mint(int24 tickLower, int24 tickUpper, uint128 liquidity) internal view returns (IVault.Mint memory) {
        (uint160 price,,,,,,) = pool.slot0();
        (uint160 lower, uint160 upper) =
            (TickMath.getSqrtPriceAtTick(tickLower), TickMath.getSqrtPriceAtTick(tickUpper));
        uint160 at = price < lower ? lower : price > upper ? upper : price;
        uint256 amount0 = SqrtPriceMath.getAmount0Delta(at, upper, liquidity, true);
        uint256 amount1 = SqrtPriceMath.getAmount1Delta(lower, at, liquidity, true);
        return IVault.Mint(tickLower, tickUpper, amount0, amount1, amount0 == 0 ? 0 : 1, amount0 == 0 ? 1 : 0);
    }

    /// @dev As much as fits what is held.
    function _mintAll(int24 tickLower, int24 tickUpper) internal view returns (IVault.Mint memory) {
        uint256 most = type(uint256).max;
        bool above = _tick() >= tickUpper;
        return IVault.Mint(tickLower, tickUpper, most, most, above ? 0 : 1, above ? 1 : 0);
    }

    function _mints(IVault.Mint memory a) internal pure returns (IVault.Mint[] memory mints) {
        mints = new IVault.Mint[](1);
        mints[0] = a;
    }

    function _mints(IVault.Mint memory a, IVault.Mint memory b)
        internal
        pure
        returns (IVault.Mint[] memory mints)
    {
        mints = new IVault.Mint[](2);
        (mints[0], mints[1]) = (a, b);
    }

    function _open(int24 tickLower, int24 tickUpper, uint128 liquidity) internal {
        IVault.Rebalance memory order;
        order.mints = _mints(_mint(tickLower, tickUpper, liquidity));
        _rebalance(order);
    }

    function _rebalance(IVault.Rebalance memory order) internal {
        uint64 seq = _seq();
        vm.prank(OPERATOR);
        vault.rebalance(seq, order, block.timestamp);
    }

    function _rebalanceFails(IVault.Rebalance memory order, bytes memory reason) internal {
        uint64 seq = _seq();
        vm.prank(OPERATOR);
        vm.expectRevert(reason);
        vault.rebalance(seq, order, block.timestamp);
    }

    function _rebalanceFails(IVault.Rebalance memory order, bytes4 selector) internal {
        uint64 seq = _seq();
        bytes memory data = abi.encodeCall(vault.rebalance, (seq, order, block.timestamp));
        vm.prank(OPERATOR);
        (bool done, bytes memory reason) = address(vault).call(data);
        require(!done, "it was let through");
        require(bytes4(reason) == selector, "another reason");
    }

    // --- time and price ---

    uint256 private _time;

    /// @dev The compiler takes `block.timestamp` for constant within a call, so the time is kept here.
    function _wait(uint256 duration) internal {
        if (_time == 0) _time = block.timestamp;
        _time += duration;
        vm.warp(_time);
    }

    /// @dev Just above the tick's price: a swap that ends at the boundary itself may leave the tick below.
    function _moveTo(int24 tick) internal {
        market.swapTo(pool, TickMath.getSqrtPriceAtTick(tick) + 1);
    }

    function _now() internal view returns (uint256) {
        return _time == 0 ? block.timestamp : _time;
    }

    /// @dev Moves the price and lets it rest until the average is there.
    function _settle(int24 tick) internal {
        _moveTo(tick);
        _wait(600);
    }

    // --- looking ---

    function _seq() internal view returns (uint64 seq) {
        (seq,,,,) = vault.state();
    }

    function _tick() internal view returns (int24 tick) {
        (, tick,,,,,) = pool.slot0();
    }

    function _liquidity(int24 tickLower, int24 tickUpper) internal view returns (uint128 liquidity) {
        (liquidity,,,,) = pool.positions(keccak256(abi.encodePacked(address(vault), tickLower, tickUpper)));
    }

    /// @dev All that the vault would have at a price, but for fees not yet collected.
    function _amountsAt(uint160 price) internal view returns (uint256 amount0, uint256 amount1) {
        (amount0, amount1) = (token0.balanceOf(address(vault)), token1.balanceOf(address(vault)));
        int24[2][] memory held = vault.ranges();
        for (uint256 i = 0; i < held.length; i++) {
            (uint160 lower, uint160 upper) =
                (TickMath.getSqrtPriceAtTick(held[i][0]), TickMath.getSqrtPriceAtTick(held[i][1]));
            (uint256 a0, uint256 a1) =
                Worth.amountsDown(price, lower, upper, _liquidity(held[i][0], held[i][1]));
            (amount0, amount1) = (amount0 + a0, amount1 + a1);
        }
    }

    function _worthAt(int24 tick) internal view returns (uint256) {
        uint160 price = TickMath.getSqrtPriceAtTick(tick);
        (uint256 amount0, uint256 amount1) = _amountsAt(price);
        return Worth.value(amount0, amount1, price, false);
    }

    // --- asserting ---

    function _equal(uint256 a, uint256 b) internal pure {
        require(a == b, string.concat("not equal: ", _text(a), " and ", _text(b)));
    }

    function _equal(address a, address b) internal pure {
        require(a == b, "other address");
    }

    function _atMost(uint256 a, uint256 b) internal pure {
        require(a <= b, string.concat("too much: ", _text(a), " above ", _text(b)));
    }

    function _text(uint256 number) private pure returns (string memory text) {
        if (number == 0) return "0";
        while (number != 0) {
            text = string.concat(string(abi.encodePacked(uint8(48 + number % 10))), text);
            number /= 10;
        }
    }
}

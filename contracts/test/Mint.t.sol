// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";

import {Fit} from "../src/vault/Fit.sol";
import {IVault} from "../src/vault/IVault.sol";
import {Bench} from "./Bench.sol";
import {vm} from "./Vm.sol";

interface IPositionManager {
    struct MintParams {
        address token0;
        address token1;
        uint24 fee;
        int24 tickLower;
        int24 tickUpper;
        uint256 amount0Desired;
        uint256 amount1Desired;
        uint256 amount0Min;
        uint256 amount1Min;
        address recipient;
        uint256 deadline;
    }

    function mint(MintParams calldata params)
        external
        payable
        returns (uint256 tokenId, uint128 liquidity, uint256 amount0, uint256 amount1);
}

/// @notice How much the vault mints, beside Uniswap's position manager in the same pool.
/// forge-config: default.fuzz.runs = 200
/// forge-config: full.fuzz.runs = 100000
contract MintTest is Bench {
    string private constant MANAGER =
        "node_modules/@uniswap/v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json";
    uint256 private constant PLENTY = 1e40;

    struct Minted {
        uint128 liquidity;
        uint256 amount0;
        uint256 amount1;
    }

    IPositionManager private manager;

    function setUp() public override {
        super.setUp();
        manager = IPositionManager(
            _deploy(abi.encodePacked(vm.getCode(MANAGER), abi.encode(factory, address(0), address(0))))
        );
        token0.mint(address(this), 1e60);
        token1.mint(address(this), 1e60);
        token0.approve(address(manager), type(uint256).max);
        token1.approve(address(manager), type(uint256).max);
        vm.prank(OWNER);
        vault.setBounds(IVault.Bounds(60, 200, 0, type(uint24).max >> 2, 60, 50_000, 50_000));
    }

    /// @dev The widest world: any price, any range, any amount of which the manager makes a position.
    function test_a_mint_is_that_of_the_position_manager(
        int24 tick,
        int24 from,
        uint24 width,
        uint256 amount0,
        uint256 amount1
    ) public {
        (tick, from) = (int24(int256(tick) % 887_271), int24(int256(from) % 88_727) * 10);
        int24 to = int24(int256(from) + int256(uint256(width) % 177_454 + 1) * 10);
        if (to > 887_270) to = 887_270;
        if (from == to) from -= 10;
        _compare(tick, IVault.Mint(from, to, _size(amount0), _size(amount1), 0, 0));
    }

    /// @dev Near the price, where both tokens count and amounts are anything from dust to all there is.
    function test_a_mint_in_range_is_that_of_the_position_manager(
        int24 tick,
        uint16 below,
        uint16 above,
        uint256 amount0,
        uint256 amount1
    ) public {
        tick = int24(int256(tick) % 800_000);
        int24 middle = tick / 10 * 10;
        int24 from = middle - 10 * (1 + int24(uint24(below)) % 2_000);
        int24 to = middle + 10 * (1 + int24(uint24(above)) % 2_000);
        _compare(tick, IVault.Mint(from, to, _size(amount0), _size(amount1), 0, 0));
    }

    /// @dev At the boundaries themselves: the price is that of the lower or of the upper tick, to the unit.
    function test_a_mint_at_a_boundary_is_that_of_the_position_manager() public {
        for (int24 from = -20; from <= 10; from += 10) {
            uint256 before = vm.snapshotState();
            market.swapTo(pool, TickMath.getSqrtPriceAtTick(0));
            _compareHere(IVault.Mint(from, from + 10, 1e18, 1e18, 0, 0));
            vm.revertToState(before);
        }
    }

    function test_liquidity_is_cut_where_the_position_manager_overflows() public pure {
        (uint160 low, uint160 high) = (TickMath.MIN_SQRT_PRICE, TickMath.MAX_SQRT_PRICE);
        uint256 most = type(uint256).max;
        _equal(Fit.liquidityDown(low, high - 2, high - 1, most, 0), type(uint128).max);
        _equal(Fit.liquidityDown(low, high - 2, high - 1, 1, 0), type(uint128).max);
        _equal(Fit.liquidityDown(low, high - 2, high - 1, 0, most), 0);
        _equal(Fit.liquidityDown(high, low, low + 1, 0, most), type(uint128).max);
        _equal(Fit.liquidityDown(high, low, low + (1 << 96), 0, 1 << 140), type(uint128).max);
        _equal(Fit.liquidityDown(low, low, high, most, 0), type(uint128).max * uint256(low) >> 96);
    }

    /// @dev Of all the amounts that the vault has, whatever more is desired.
    function test_a_mint_takes_no_more_than_is_held(int24 tick, uint16 half, uint256 amount0, uint256 amount1) public {
        tick = int24(int256(tick) % 100_000);
        (amount0, amount1) = (1e24 + amount0 % 1e24, 1e24 + amount1 % 1e24);
        int24 middle = tick / 10 * 10;
        int24 reach = 10 * (1 + int24(uint24(half)) % 2_000);
        _settle(tick);
        _hold(amount0, amount1);
        IVault.Mint memory order = _mintAll(middle - reach, middle + reach);
        _rebalanceWith(order);
        Minted memory capped = _taken(order, amount0, amount1);
        (bool accepted, Minted memory expected) =
            _byManager(IVault.Mint(order.tickLower, order.tickUpper, amount0, amount1, 0, 0));
        require(accepted, "the manager refused");
        _equal(capped.liquidity, expected.liquidity);
        _equal(capped.amount0, expected.amount0);
        _equal(capped.amount1, expected.amount1);
    }

    function _compare(int24 tick, IVault.Mint memory order) private {
        _settle(tick);
        _compareHere(order);
    }

    /// @dev Never more than was desired; and what the manager mints, where it does. It refuses where one
    /// token's liquidity alone has more than 128 bits, though the other's is less.
    function _compareHere(IVault.Mint memory order) private {
        (bool accepted, Minted memory expected) = _byManager(order);
        if (accepted && expected.amount0 != 0) order.amount0Min = expected.amount0;
        else order.amount1Min = accepted ? expected.amount1 : 1;
        (bool done, Minted memory found) = _byVault(order);
        _atMost(found.amount0, order.amount0Desired);
        _atMost(found.amount1, order.amount1Desired);
        if (!accepted) return;
        require(done, "the manager minted and the vault did not");
        _equal(found.liquidity, expected.liquidity);
        _equal(found.amount0, expected.amount0);
        _equal(found.amount1, expected.amount1);
    }

    /// @dev The pool is afterwards as it was.
    function _byManager(IVault.Mint memory order) private returns (bool accepted, Minted memory minted) {
        uint256 before = vm.snapshotState();
        try manager.mint(
            IPositionManager.MintParams({
                token0: address(token0),
                token1: address(token1),
                fee: FEE,
                tickLower: order.tickLower,
                tickUpper: order.tickUpper,
                amount0Desired: order.amount0Desired,
                amount1Desired: order.amount1Desired,
                amount0Min: 0,
                amount1Min: 0,
                recipient: address(this),
                deadline: type(uint256).max
            })
        ) returns (uint256, uint128 liquidity, uint256 amount0, uint256 amount1) {
            (accepted, minted) = (true, Minted(liquidity, amount0, amount1));
        } catch {}
        vm.revertToState(before);
    }

    /// @dev The vault holds so much that a unit lost to rounding is no loss.
    function _byVault(IVault.Mint memory order) private returns (bool done, Minted memory minted) {
        _hold(PLENTY, PLENTY);
        IVault.Rebalance memory all;
        all.mints = _mints(order);
        bytes memory data = abi.encodeCall(vault.rebalance, (0, all, type(uint256).max));
        vm.prank(OPERATOR);
        bytes memory reason;
        (done, reason) = address(vault).call(data);
        if (!done) require(_isOfTheMint(bytes4(reason)), "refused for another reason");
        minted = _taken(order, PLENTY, PLENTY);
    }

    function _hold(uint256 amount0, uint256 amount1) private {
        vm.startPrank(OWNER);
        vault.withdraw(address(token0), type(uint256).max, OWNER);
        vault.withdraw(address(token1), type(uint256).max, OWNER);
        vm.stopPrank();
        token0.mint(address(vault), amount0);
        token1.mint(address(vault), amount1);
    }

    function _rebalanceWith(IVault.Mint memory mint) private {
        IVault.Rebalance memory order;
        order.mints = _mints(mint);
        _rebalance(order);
    }

    function _taken(IVault.Mint memory order, uint256 had0, uint256 had1) private view returns (Minted memory) {
        return Minted({
            liquidity: _liquidity(order.tickLower, order.tickUpper),
            amount0: had0 - token0.balanceOf(address(vault)),
            amount1: had1 - token1.balanceOf(address(vault))
        });
    }

    /// @dev Nothing fits, or only the other token, or the pool lets no tick have so much.
    function _isOfTheMint(bytes4 reason) private pure returns (bool) {
        return reason == IVault.NoLiquidity.selector || reason == IVault.MintedTooLittle.selector
            || reason == bytes4(keccak256("Error(string)")) || reason == 0;
    }

    /// @dev From nothing to 2**112, every order of magnitude as likely as the next.
    function _size(uint256 drawn) private pure returns (uint256) {
        return (drawn >> 8) & ((1 << (drawn % 113)) - 1);
    }
}

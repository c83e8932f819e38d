// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Fit} from "./Fit.sol";
import {Held} from "./Held.sol";
import {IFactory, IPool, IToken} from "./IUniswapV3.sol";
import {IVault} from "./IVault.sol";
import {TokenTest} from "./TokenTest.sol";
import {Worth} from "./Worth.sol";

/// @notice The tokens and positions that the vault has, and all that is ever done with them: a position is
/// opened or closed, its fees are taken, one token is swapped for the other, or the owner takes some.
/// @dev Tokens leave in `_send` alone. It pays the pool what it asks for in the midst of a mint or a swap that
/// began here, and it pays a withdrawal.
abstract contract PoolAccount is IVault {
    using Held for uint256;

    uint256 private constant ENTERED = 1;
    uint256 private constant MINTING = 2;
    uint256 private constant SWAPPING = 3;

    IPool public immutable pool;
    address public immutable token0;
    address public immutable token1;
    int24 public immutable tickSpacing;
    uint256 private transient _stage;

    modifier entered() {
        if (_stage != 0) revert Reentered();
        _stage = ENTERED;
        _;
        _stage = 0;
    }

    constructor(IFactory factory, IPool pool_) {
        (pool, token0, token1, tickSpacing) = (pool_, pool_.token0(), pool_.token1(), pool_.tickSpacing());
        if (factory.getPool(token0, token1, pool_.fee()) != address(pool_)) revert PoolNotOfFactory(address(pool_));
        TokenTest.check(address(pool_), token0, token1);
    }

    // --- the pool, which asks for what it is owed ---

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        _checkCallback(MINTING);
        if (amount0 != 0) _send(token0, msg.sender, amount0);
        if (amount1 != 0) _send(token1, msg.sender, amount1);
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        _checkCallback(SWAPPING);
        if (amount0 > 0) _send(token0, msg.sender, uint256(amount0));
        if (amount1 > 0) _send(token1, msg.sender, uint256(amount1));
    }

    function _checkCallback(uint256 stage) private view {
        if (msg.sender != address(pool)) revert NotPool();
        if (_stage != stage) revert NotInFlight();
    }

    // --- positions ---

    /// @dev The pool rounds up what it asks for, and yet asks for no more than was desired: see `Fit`.
    // slither-disable-next-line reentrancy-balance -- the pool's answer is compared, not a balance
    function _mint(uint64 seq, Mint calldata order) internal returns (uint128 liquidity) {
        if ((order.amount0Min | order.amount1Min) == 0) revert NoMinimum();
        (uint160 sqrtPriceX96,) = _spot();
        liquidity = Fit.liquidityDown(
            sqrtPriceX96,
            Worth.sqrtPriceAt(order.tickLower),
            Worth.sqrtPriceAt(order.tickUpper),
            _atMost(order.amount0Desired, _balance(token0)),
            _atMost(order.amount1Desired, _balance(token1))
        );
        // slither-disable-next-line incorrect-equality -- the pool mints no position of nothing
        if (liquidity == 0) revert NoLiquidity();
        _stage = MINTING;
        (uint256 amount0, uint256 amount1) =
            pool.mint(address(this), order.tickLower, order.tickUpper, liquidity, "");
        _stage = ENTERED;
        if (amount0 < order.amount0Min || amount1 < order.amount1Min) revert MintedTooLittle(amount0, amount1);
        emit Minted(seq, order.tickLower, order.tickUpper, liquidity, amount0, amount1);
    }

    /// @dev Burns the whole, if there is any, and leaves what it brings and the fees to be collected.
    function _burn(uint64 seq, uint256 range) internal returns (uint256 amount0, uint256 amount1) {
        uint128 liquidity = _liquidity(range);
        if (liquidity == 0) return (0, 0);
        (int24 tickLower, int24 tickUpper) = range.ticks();
        (amount0, amount1) = pool.burn(tickLower, tickUpper, liquidity);
        emit Burned(seq, tickLower, tickUpper, liquidity, amount0, amount1);
    }

    /// @dev Has the pool write up the fees of a position that stays.
    function _poke(uint256 range) internal {
        (int24 tickLower, int24 tickUpper) = range.ticks();
        // slither-disable-next-line unused-return -- nothing is burned, so the answer is zeros
        if (_liquidity(range) != 0) pool.burn(tickLower, tickUpper, 0);
    }

    function _collect(uint64 seq, uint256 range, bool want0, bool want1) internal {
        (int24 tickLower, int24 tickUpper) = range.ticks();
        uint128 all = type(uint128).max;
        (uint128 amount0, uint128 amount1) =
            pool.collect(address(this), tickLower, tickUpper, want0 ? all : 0, want1 ? all : 0);
        emit Collected(seq, tickLower, tickUpper, amount0, amount1);
    }

    // --- swaps ---

    function _swap(uint64 seq, Swap calldata order) internal {
        if (order.amountIn == 0) return;
        if (order.minOut == 0) revert NoMinimum();
        (uint160 sqrtPriceX96,) = _spot();
        (uint160 from, uint160 to) =
            order.zeroForOne ? (Worth.MIN_SQRT_PRICE, sqrtPriceX96) : (sqrtPriceX96, Worth.MAX_SQRT_PRICE);
        if (order.sqrtPriceLimitX96 <= from || order.sqrtPriceLimitX96 >= to) revert BadPriceLimit(from, to);
        _stage = SWAPPING;
        (int256 amount0, int256 amount1) = pool.swap(
            address(this), order.zeroForOne, int256(uint256(order.amountIn)), order.sqrtPriceLimitX96, ""
        );
        _stage = ENTERED;
        uint256 amountOut = uint256(-(order.zeroForOne ? amount1 : amount0));
        if (amountOut < order.minOut) revert SwappedTooLittle(amountOut);
        emit Swapped(seq, amount0, amount1);
    }

    // --- tokens ---

    function _withdraw(address token, uint256 amount, address to) internal {
        if (to == address(0)) revert ZeroAddress();
        if (amount == type(uint256).max) amount = _balance(token);
        _send(token, to, amount);
        emit Withdrawn(token, to, amount);
    }

    function _send(address token, address to, uint256 amount) private {
        (bool done, bytes memory data) = token.call(abi.encodeCall(IToken.transfer, (to, amount)));
        if (!done || token.code.length == 0 || (data.length != 0 && bytes32(data) != bytes32(uint256(1)))) {
            revert TransferFailed(token);
        }
    }

    // --- looking ---

    function _balance(address token) internal view returns (uint256) {
        return IToken(token).balanceOf(address(this));
    }

    function _liquidity(uint256 range) internal view returns (uint128 liquidity) {
        (int24 tickLower, int24 tickUpper) = range.ticks();
        // slither-disable-next-line unused-return -- the rest is not asked for
        (liquidity,,,,) = pool.positions(keccak256(abi.encodePacked(address(this), tickLower, tickUpper)));
    }

    function _spot() internal view returns (uint160 sqrtPriceX96, int24 tick) {
        // slither-disable-next-line unused-return -- the rest is not asked for
        (sqrtPriceX96, tick,,,,,) = pool.slot0();
    }

    function _atMost(uint256 amount, uint256 most) private pure returns (uint256) {
        return amount < most ? amount : most;
    }
}

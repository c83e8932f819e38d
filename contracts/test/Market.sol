// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IPool, IToken} from "../src/vault/IUniswapV3.sol";

/// @notice A trader and liquidity provider: swaps to a price, adds and removes liquidity, pays from its own
/// pocket whoever it called.
contract Market {
    IPool private _called;

    function swapTo(IPool pool, uint160 sqrtPriceX96) external {
        (uint160 now_,,,,,,) = pool.slot0();
        if (now_ == sqrtPriceX96) return;
        _called = pool;
        pool.swap(address(this), sqrtPriceX96 < now_, type(int256).max >> 1, sqrtPriceX96, "");
    }

    function swap(IPool pool, bool zeroForOne, uint256 amountIn) external returns (int256, int256) {
        _called = pool;
        uint160 limit = zeroForOne ? 4295128740 : 1461446703485210103287273052203988822378723970341;
        return pool.swap(address(this), zeroForOne, int256(amountIn), limit, "");
    }

    function add(IPool pool, int24 tickLower, int24 tickUpper, uint128 liquidity) external {
        _called = pool;
        pool.mint(address(this), tickLower, tickUpper, liquidity, "");
    }

    function remove(IPool pool, int24 tickLower, int24 tickUpper, uint128 liquidity) external {
        pool.burn(tickLower, tickUpper, liquidity);
        pool.collect(address(this), tickLower, tickUpper, type(uint128).max, type(uint128).max);
    }

    function send(IToken token, address to, uint256 amount) external {
        token.transfer(to, amount);
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        _pay(amount0, amount1);
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        _pay(amount0 > 0 ? uint256(amount0) : 0, amount1 > 0 ? uint256(amount1) : 0);
    }

    function _pay(uint256 amount0, uint256 amount1) private {
        require(msg.sender == address(_called), "not the pool that was called");
        if (amount0 > 0) _send(_called.token0(), amount0);
        if (amount1 > 0) _send(_called.token1(), amount1);
    }

    /// @dev The token may return nothing.
    function _send(address token, uint256 amount) private {
        (bool done,) = token.call(abi.encodeCall(IToken.transfer, (msg.sender, amount)));
        require(done, "the market has run dry");
    }
}

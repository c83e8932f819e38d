// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface IPool {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function slot0()
        external
        view
        returns (uint160 sqrtPriceX96, int24, uint16, uint16, uint16, uint8, bool);
    function swap(address recipient, bool zeroForOne, int256 amount, uint160 limit, bytes calldata data)
        external
        returns (int256 amount0, int256 amount1);
    function mint(address owner, int24 lower, int24 upper, uint128 liquidity, bytes calldata data)
        external
        returns (uint256 amount0, uint256 amount1);
    function burn(int24 lower, int24 upper, uint128 liquidity)
        external
        returns (uint256 amount0, uint256 amount1);
    function collect(address to, int24 lower, int24 upper, uint128 amount0, uint128 amount1)
        external
        returns (uint128, uint128);
}

interface IToken {
    function transfer(address to, uint256 value) external;
}

/// @notice The hands of a devnet's market: trades with a pool and pays from its own balance.
/// @dev Warning: it pays whoever calls it back. It must never hold a token worth anything.
contract FlowTrader {
    /// @dev The pool's bounds, exclusive: a swap may not ask for these prices themselves.
    uint160 private constant LOWEST = 4295128739;
    uint160 private constant HIGHEST = 1461446703485210103287273052203988822378723970342;

    /// @notice Sells exactly `amountSpecified` (or buys it, where negative), up to a price limit.
    function swap(IPool pool, bool zeroForOne, int256 amountSpecified, uint160 limit) public {
        pool.swap(address(this), zeroForOne, amountSpecified, limit, "");
    }

    /// @notice Brings the pool's price to `target`, whatever that takes. Where it is there already,
    /// sells `amountIn` in the direction told: a trade too small to move the recorded price.
    function follow(IPool pool, bool zeroForOne, uint256 amountIn, uint160 target) external {
        uint160 price = _price(pool);
        if (price == target) {
            swap(pool, zeroForOne, int256(amountIn), zeroForOne ? LOWEST + 1 : HIGHEST - 1);
        } else {
            swap(pool, price > target, type(int256).max, target);
        }
    }

    /// @notice Trades the pool to the nearer edge of [low, high] where its price is outside, as an
    /// arbitrageur would; does nothing where it is inside.
    function keepWithin(IPool pool, uint160 low, uint160 high) external {
        uint160 price = _price(pool);
        if (price < low) swap(pool, false, type(int256).max, low);
        if (price > high) swap(pool, true, type(int256).max, high);
    }

    /// @notice Adds liquidity to this contract's own position in a range.
    function mint(IPool pool, int24 lower, int24 upper, uint128 liquidity) external {
        pool.mint(address(this), lower, upper, liquidity, "");
    }

    /// @notice Takes liquidity out of this contract's own position, and all that it is owed.
    function burn(IPool pool, int24 lower, int24 upper, uint128 liquidity) external {
        pool.burn(lower, upper, liquidity);
        pool.collect(address(this), lower, upper, type(uint128).max, type(uint128).max);
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        if (amount0 > 0) _pay(IPool(msg.sender).token0(), uint256(amount0));
        if (amount1 > 0) _pay(IPool(msg.sender).token1(), uint256(amount1));
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        if (amount0 > 0) _pay(IPool(msg.sender).token0(), amount0);
        if (amount1 > 0) _pay(IPool(msg.sender).token1(), amount1);
    }

    function _pay(address token, uint256 value) private {
        IToken(token).transfer(msg.sender, value);
    }

    function _price(IPool pool) private view returns (uint160 sqrtPriceX96) {
        (sqrtPriceX96,,,,,,) = pool.slot0();
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FullMath} from "@uniswap/v4-core/src/libraries/FullMath.sol";

/// @notice How much liquidity two amounts make, as Uniswap's position manager counts it.
/// @dev Every step rounds down. With L from `for0`, L * (upper - lower) / (lower * upper / 2**96) <= amount0
/// before any rounding; the pool rounds that up to a whole number, and amount0 is one. For token1 likewise.
/// So the pool never asks for more than the amounts that went in.
library Fit {
    uint256 private constant Q96 = 1 << 96;
    uint256 private constant MOST = type(uint128).max;

    /// @return The liquidity that fits both amounts in a range at a price: the largest number of 128 bits where
    /// it would be above (the position manager reverts there).
    function liquidityDown(
        uint160 sqrtPriceX96,
        uint160 sqrtLower,
        uint160 sqrtUpper,
        uint256 amount0,
        uint256 amount1
    ) internal pure returns (uint128) {
        if (sqrtPriceX96 <= sqrtLower) return _for0(sqrtLower, sqrtUpper, amount0);
        if (sqrtPriceX96 >= sqrtUpper) return _for1(sqrtLower, sqrtUpper, amount1);
        uint128 a = _for0(sqrtPriceX96, sqrtUpper, amount0);
        uint128 b = _for1(sqrtLower, sqrtPriceX96, amount1);
        return a < b ? a : b;
    }

    /// @dev Amounts are cut to 128 bits first, the most that a pool gives back; then nothing overflows: where the
    /// liquidity of one unit is below 2**128, that of all is below 2**256.
    function _for0(uint160 sqrtLower, uint160 sqrtUpper, uint256 amount) private pure returns (uint128) {
        uint256 product = FullMath.mulDiv(sqrtLower, sqrtUpper, Q96);
        uint256 width = sqrtUpper - sqrtLower;
        if (amount == 0) return 0;
        if (product / width > MOST) return type(uint128).max;
        return _cut(FullMath.mulDiv(_cut(amount), product, width));
    }

    function _for1(uint160 sqrtLower, uint160 sqrtUpper, uint256 amount) private pure returns (uint128) {
        return _cut(FullMath.mulDiv(_cut(amount), Q96, sqrtUpper - sqrtLower));
    }

    function _cut(uint256 number) private pure returns (uint128) {
        return number > MOST ? type(uint128).max : uint128(number);
    }
}

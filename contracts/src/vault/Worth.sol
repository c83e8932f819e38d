// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FullMath} from "@uniswap/v4-core/src/libraries/FullMath.sol";
import {SqrtPriceMath} from "@uniswap/v4-core/src/libraries/SqrtPriceMath.sol";
import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";

/// @notice What amounts and positions are worth at a price.
library Worth {
    int24 internal constant MIN_TICK = TickMath.MIN_TICK;
    int24 internal constant MAX_TICK = TickMath.MAX_TICK;
    uint160 internal constant MIN_SQRT_PRICE = TickMath.MIN_SQRT_PRICE;
    uint160 internal constant MAX_SQRT_PRICE = TickMath.MAX_SQRT_PRICE;

    /// @notice The amounts in a position, as they would be were the pool's price `sqrtPriceX96`.
    function amountsDown(uint160 sqrtPriceX96, uint160 sqrtLower, uint160 sqrtUpper, uint128 liquidity)
        internal
        pure
        returns (uint256 amount0, uint256 amount1)
    {
        uint160 at = sqrtPriceX96 < sqrtLower ? sqrtLower : sqrtPriceX96 > sqrtUpper ? sqrtUpper : sqrtPriceX96;
        amount0 = SqrtPriceMath.getAmount0Delta(at, sqrtUpper, liquidity, false);
        amount1 = SqrtPriceMath.getAmount1Delta(sqrtLower, at, liquidity, false);
    }

    /// @notice Both amounts in one unit, that of liquidity times 2**32: token0 counts by the root of the
    /// price, token1 by its inverse. Times the root it is token1, divided by it token0.
    /// @dev Symmetric in the tokens, and within 256 bits at every price for amounts below 2**159. Finer than
    /// a raw unit of the dearer token, and of either where the root of the price is within 2**32 of one.
    function value(uint256 amount0, uint256 amount1, uint160 sqrtPriceX96, bool up)
        internal
        pure
        returns (uint256)
    {
        if (up) {
            return FullMath.mulDivRoundingUp(amount0, sqrtPriceX96, 1 << 64)
                + FullMath.mulDivRoundingUp(amount1, 1 << 128, sqrtPriceX96);
        }
        return FullMath.mulDiv(amount0, sqrtPriceX96, 1 << 64)
            + FullMath.mulDiv(amount1, 1 << 128, sqrtPriceX96);
    }

    /// @return The part of `before` that is missing from `later`, in parts of 1e18.
    function lossUp(uint256 before, uint256 later) internal pure returns (uint256) {
        return later < before ? FullMath.mulDivRoundingUp(before - later, 1e18, before) : 0;
    }

    function sqrtPriceAt(int24 tick) internal pure returns (uint160) {
        return TickMath.getSqrtPriceAtTick(tick);
    }
}

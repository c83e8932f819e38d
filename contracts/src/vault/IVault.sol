// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice What the vault is told, tells, and refuses with.
interface IVault {
    /// @dev Losses are parts of a million of the vault's worth.
    struct Bounds {
        uint32 twapWindow; // seconds over which the price is averaged
        uint24 maxDeviation; // ticks that the price may be away from the average, before and after
        uint24 minWidth; // ticks of a range
        uint24 maxMove; // ticks from the last centre to the new one
        uint32 cooldown; // seconds between two rebalances
        uint24 maxLossPerCall;
        uint24 maxLossPerDay; // over any 24 hours: half stands ready, half comes back within a day
    }

    struct Swap {
        bool zeroForOne;
        uint128 amountIn; // zero: no swap
        uint160 sqrtPriceLimitX96;
        uint256 minOut;
    }

    /// @dev As much liquidity as fits both amounts, or what is held where that is less, at the price of that
    /// instant. At least one minimum is above zero.
    struct Mint {
        int24 tickLower;
        int24 tickUpper;
        uint256 amount0Desired;
        uint256 amount1Desired;
        uint256 amount0Min;
        uint256 amount1Min;
    }

    struct Rebalance {
        uint256 keep; // bit i: the i-th of ranges() stays as it is
        uint256 burn0Min;
        uint256 burn1Min;
        Swap swap;
        Mint[] mints; // a range that is held already grows
    }

    struct State {
        uint64 seq; // of the next rebalance
        uint64 used; // of the day's losses, in parts of 1e18, as it was at `rebalancedAt`
        uint40 rebalancedAt;
        int24 centre; // of the ranges after the last rebalance that left any
        bool centred;
    }

    event OwnerProposed(address indexed owner);
    event OwnerSet(address indexed owner);
    event OperatorSet(address indexed operator);
    event GuardianSet(address indexed guardian);
    event BoundsSet(Bounds bounds);
    event Paused(address indexed by);
    event Unpaused();
    event Burned(
        uint64 indexed seq, int24 tickLower, int24 tickUpper, uint128 liquidity, uint256 amount0, uint256 amount1
    );
    event Collected(uint64 indexed seq, int24 tickLower, int24 tickUpper, uint256 amount0, uint256 amount1);
    event Swapped(uint64 indexed seq, int256 amount0, int256 amount1);
    event Minted(
        uint64 indexed seq, int24 tickLower, int24 tickUpper, uint128 liquidity, uint256 amount0, uint256 amount1
    );
    /// @dev Worth in the unit of `Worth.value`, at the price where most was lost; loss and budget in parts
    /// of 1e18 of it.
    event Rebalanced(
        uint64 indexed seq,
        int24 twapTick,
        uint160 sqrtPriceX96,
        uint256 worthBefore,
        uint256 worthAfter,
        uint256 loss,
        uint256 budgetLeft
    );
    event Withdrawn(address indexed token, address indexed to, uint256 amount);
    event Exited(uint64 indexed seq, address indexed to);

    error NotOwner();
    error NotPendingOwner();
    error NotOperator();
    error NotGuardian();
    error NotPool();
    error NotInFlight();
    error Reentered();
    error IsPaused();
    error ZeroAddress();
    error PoolNotOfFactory(address pool);
    error BoundsTooLoose();
    error WrongSeq(uint256 expected);
    error TooLate(uint256 deadline);
    error TooSoon(uint256 readyAt);
    error PriceAway(int24 tick, int24 twapTick);
    error NotHeld(uint256 keep);
    error NoMinimum();
    error BurnedTooLittle(uint256 amount0, uint256 amount1);
    error SwappedTooLittle(uint256 amountOut);
    error BadPriceLimit(uint160 above, uint160 below);
    error BadRange(int24 tickLower, int24 tickUpper);
    error TooNarrow(int24 tickLower, int24 tickUpper);
    error TooFar(int24 centre, int24 from);
    error TooManyRanges();
    error NoLiquidity();
    error MintedTooLittle(uint256 amount0, uint256 amount1);
    error LossPerCall(uint256 loss);
    error LossPerDay(uint256 loss, uint256 left);
    error TransferFailed(address token);
}

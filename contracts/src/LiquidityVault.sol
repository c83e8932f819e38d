// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Budget} from "./vault/Budget.sol";
import {Held} from "./vault/Held.sol";
import {IFactory, IPool} from "./vault/IUniswapV3.sol";
import {Oracle} from "./vault/Oracle.sol";
import {PoolAccount} from "./vault/PoolAccount.sol";
import {Roles} from "./vault/Roles.sol";
import {Tallies, Tally} from "./vault/Tally.sol";
import {Worth} from "./vault/Worth.sol";

/// @notice Holds the tokens and the Uniswap v3 positions of one owner in one pool. The operator's key can
/// move them between ranges within the bounds below, and can send them nowhere but to the pool.
/// @dev Positions are held in the pool directly, so nobody is ever given an allowance and there is no
/// token to steal. To fund the vault, transfer to it.
/// Warning: a pool's own oracle is the only one. Who can hold the pool's price away for most of
/// `twapWindow` can make the vault take that price for the true one; the budget of losses does not help.
contract LiquidityVault is Roles, PoolAccount {
    using Held for uint256;
    using Tallies for Tally;

    /// @dev What one rebalance knows. Worth is counted at two prices, the lowest and the highest of three:
    /// the average, the one before this block, the spot at the beginning. A loss at either is a loss.
    struct Run {
        uint64 seq;
        int24 twapTick;
        Tally tally;
        uint256[2] before;
    }

    uint32 public constant MIN_TWAP_WINDOW = 60;
    uint32 public constant MIN_COOLDOWN = 60;
    uint24 public constant MAX_DEVIATION = 200;
    uint24 public constant MAX_LOSS_PER_DAY = 50_000;
    uint256 public constant MAX_RANGES = Held.MAX;

    Bounds public bounds;
    State public state;
    uint256 private _held;

    constructor(
        IFactory factory,
        IPool pool_,
        address owner_,
        address operator_,
        address guardian_,
        Bounds memory bounds_
    ) Roles(owner_, operator_, guardian_) PoolAccount(factory, pool_) {
        _setBounds(bounds_);
        // slither-disable-next-line unused-return -- it reverts where there is no history
        Oracle.ticks(pool_, bounds_.twapWindow);
    }

    // --- the owner, whom nothing stops ---

    /// @notice Sends `amount` of any token to `to`, or all there is where `amount` is the largest number.
    /// What lies in positions takes `exit`.
    function withdraw(address token, uint256 amount, address to) external onlyOwner entered {
        _withdraw(token, amount, to);
    }

    /// @notice Closes every position and sends everything to `to`. A rebalance on its way becomes void.
    /// @param want0 False leaves token0 where it is, should its transfers be frozen; call again later.
    // slither-disable-next-line reentrancy-no-eth -- `entered` keeps everybody out, by transient storage
    function exit(address to, bool want0, bool want1) external onlyOwner entered {
        uint256 held = _held;
        uint64 seq = state.seq++;
        state.centred = false;
        for (uint256 i = 0; held.at(i) != 0; i++) {
            _burn(seq, held.at(i));
            _collect(seq, held.at(i), want0, want1);
        }
        if (want0 && want1) _held = 0;
        if (want0) _withdraw(token0, type(uint256).max, to);
        if (want1) _withdraw(token1, type(uint256).max, to);
        emit Exited(seq, to);
    }

    function setBounds(Bounds calldata bounds_) external onlyOwner {
        _setBounds(bounds_);
    }

    function _setBounds(Bounds memory bounds_) private {
        if (
            bounds_.twapWindow < MIN_TWAP_WINDOW || bounds_.cooldown < MIN_COOLDOWN
                || bounds_.maxDeviation > MAX_DEVIATION || bounds_.maxLossPerDay > MAX_LOSS_PER_DAY
                || bounds_.maxLossPerCall > bounds_.maxLossPerDay
        ) revert BoundsTooLoose();
        bounds = bounds_;
        emit BoundsSet(bounds_);
    }

    // --- the operator, within the bounds ---

    /// @notice Takes the fees of every position into the vault, to be put to work by the next rebalance.
    function collectFees() external onlyOperator entered {
        uint256 held = _held;
        uint64 seq = state.seq;
        for (uint256 i = 0; held.at(i) != 0; i++) {
            _poke(held.at(i));
            _collect(seq, held.at(i), true, true);
        }
    }

    /// @notice Closes positions, swaps and opens positions, all or nothing.
    /// @param seq That of `state`; one use each, so a call that is sent twice is done once.
    /// @param deadline The last second at which this may happen.
    // slither-disable-next-line reentrancy-no-eth -- as with `exit`
    function rebalance(uint256 seq, Rebalance calldata order, uint256 deadline) external onlyOperator entered {
        (State memory was, Bounds memory limits) = (state, bounds);
        if (seq != was.seq) revert WrongSeq(was.seq);
        if (block.timestamp > deadline) revert TooLate(deadline);
        uint256 readyAt = was.rebalancedAt == 0 ? 0 : uint256(was.rebalancedAt) + limits.cooldown;
        if (block.timestamp < readyAt) revert TooSoon(readyAt);
        state.seq = was.seq + 1;

        // slither-disable-next-line uninitialized-local -- of zeros
        Run memory run;
        run.seq = was.seq;
        _look(run, limits);
        uint256 held = _close(run, order);
        _swap(run.seq, order.swap);
        held = _open(run, held, order.mints, limits.minWidth);
        _held = held;

        _checkSpot(run.twapTick, limits.maxDeviation);
        if (held != 0) (was.centre, was.centred) = (_checkMove(held, was, run.twapTick, limits.maxMove), true);
        was.used = _checkLoss(run, was, limits);
        (was.seq, was.rebalancedAt) = (was.seq + 1, uint40(block.timestamp));
        state = was;
    }

    // --- anybody ---

    /// @return found The ranges that the vault holds, in the order of the bits of `keep`.
    function ranges() external view returns (int24[2][] memory found) {
        found = new int24[2][](_held.count());
        for (uint256 i = 0; i < found.length; i++) (found[i][0], found[i][1]) = _held.at(i).ticks();
    }

    /// @return What may be lost now, in parts of 1e18 of the vault's worth; a single call is bound besides.
    function budgetLeft() external view returns (uint256) {
        return Budget.left(state, bounds);
    }

    // --- the steps of a rebalance ---

    /// @dev The price before this block counts because the operator may bring the spot to the average in the
    /// same transaction, while the market is elsewhere already. The oracle knows ticks, and the market may be
    /// anywhere in one: its upper end counts as well.
    function _look(Run memory run, Bounds memory limits) private view {
        int24 last;
        (run.twapTick, last) = Oracle.ticks(pool, limits.twapWindow);
        if (_distance(last, run.twapTick) > limits.maxDeviation) revert PriceAway(last, run.twapTick);
        uint160 spot = _checkSpot(run.twapTick, limits.maxDeviation);
        (int24 lower, int24 upper) = last < run.twapTick ? (last, run.twapTick) : (run.twapTick, last);
        (uint160 low, uint160 high) = (Worth.sqrtPriceAt(lower), Worth.sqrtPriceAt(upper + 1));
        run.tally.prices = [spot < low ? spot : low, spot > high ? spot : high];
    }

    /// @dev Burns what is not kept, and counts from there: what a burn brings at a price that is not the
    /// average looks like a gain and must not pay for a loss, nor must the fees.
    function _close(Run memory run, Rebalance calldata order) private returns (uint256 kept) {
        uint256 held = _held;
        uint256 i = 0;
        uint256 burned0 = 0;
        uint256 burned1 = 0;
        for (; held.at(i) != 0; i++) {
            uint256 range = held.at(i);
            if (order.keep & (1 << i) != 0) {
                // slither-disable-next-line unused-return -- there is room: it was held
                (kept,) = kept.add(range);
                run.tally.add(range, _liquidity(range));
                continue;
            }
            (uint256 amount0, uint256 amount1) = _burn(run.seq, range);
            _collect(run.seq, range, true, true);
            (burned0, burned1) = (burned0 + amount0, burned1 + amount1);
        }
        if (order.keep >> i != 0) revert NotHeld(order.keep);
        if (burned0 < order.burn0Min || burned1 < order.burn1Min) revert BurnedTooLittle(burned0, burned1);
        if ((burned0 | burned1) != 0 && (order.burn0Min | order.burn1Min) == 0) revert NoMinimum();
        run.before = run.tally.worth(_balance(token0), _balance(token1), true);
    }

    function _open(Run memory run, uint256 held, Mint[] calldata mints, uint24 minWidth) private returns (uint256) {
        bool room;
        for (uint256 i = 0; i < mints.length; i++) {
            (int24 tickLower, int24 tickUpper) = (mints[i].tickLower, mints[i].tickUpper);
            _checkRange(tickLower, tickUpper, minWidth);
            (held, room) = held.add(Held.range(tickLower, tickUpper));
            if (!room) revert TooManyRanges();
            run.tally.add(Held.range(tickLower, tickUpper), _mint(run.seq, mints[i]));
        }
        return held;
    }

    // --- the checks ---

    function _checkSpot(int24 twapTick, uint24 maxDeviation) private view returns (uint160 sqrtPriceX96) {
        int24 tick;
        (sqrtPriceX96, tick) = _spot();
        if (_distance(tick, twapTick) > maxDeviation) revert PriceAway(tick, twapTick);
    }

    function _checkRange(int24 tickLower, int24 tickUpper, uint24 minWidth) private view {
        if (
            tickLower >= tickUpper || tickLower < Worth.MIN_TICK || tickUpper > Worth.MAX_TICK
                || tickLower % tickSpacing != 0 || tickUpper % tickSpacing != 0
        ) revert BadRange(tickLower, tickUpper);
        if (tickUpper - tickLower < int256(uint256(minWidth))) revert TooNarrow(tickLower, tickUpper);
    }

    function _checkMove(uint256 held, State memory was, int24 twapTick, uint24 maxMove)
        private
        pure
        returns (int24 centre)
    {
        (int24 lowest, int24 highest) = held.hull();
        centre = (lowest + highest) / 2;
        int24 from = was.centred ? was.centre : twapTick;
        if (_distance(centre, from) > maxMove) revert TooFar(centre, from);
    }

    /// @dev What is lost from the end of the burns is a convex function of the price it is counted at, so
    /// the larger of two prices' losses bounds that at every price between. Rounds up at every step.
    function _checkLoss(Run memory run, State memory was, Bounds memory limits) private returns (uint64) {
        uint256[2] memory later = run.tally.worth(_balance(token0), _balance(token1), false);
        uint256[2] memory losses = [Worth.lossUp(run.before[0], later[0]), Worth.lossUp(run.before[1], later[1])];
        uint256 k = losses[0] > losses[1] ? 0 : 1;
        uint256 left = Budget.spend(losses[k], was, limits);
        emit Rebalanced(
            run.seq, run.twapTick, run.tally.prices[k], run.before[k], later[k], losses[k], left
        );
        return Budget.used(left, limits);
    }

    function _distance(int24 a, int24 b) private pure returns (uint256) {
        return uint256(int256(a > b ? a - b : b - a));
    }
}

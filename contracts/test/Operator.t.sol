// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";

import {IPool, IToken} from "../src/vault/IUniswapV3.sol";
import {IVault} from "../src/vault/IVault.sol";
import {Oracle} from "../src/vault/Oracle.sol";
import {Worth} from "../src/vault/Worth.sol";
import {Bench, IPoolFull} from "./Bench.sol";
import {Vm, vm} from "./Vm.sol";

/// @notice What the operator can do, and every way in which it is refused.
contract OperatorTest is Bench {
    uint160 private constant BELOW = 70e27; // a root of the price a little below one: 2**96 is 79.2e27
    uint160 private constant ABOVE = 90e27;

    // --- who and when ---

    function test_only_operator_and_owner_rebalance() public {
        IVault.Rebalance memory order;
        address[2] memory refused = [STRANGER, GUARDIAN];
        for (uint256 i = 0; i < 2; i++) {
            vm.prank(refused[i]);
            vm.expectRevert(IVault.NotOperator.selector);
            vault.rebalance(0, order, block.timestamp);
            vm.prank(refused[i]);
            vm.expectRevert(IVault.NotOperator.selector);
            vault.collectFees();
        }
        vm.prank(OWNER);
        vault.rebalance(0, order, block.timestamp);
    }

    function test_a_pause_stops_operator_and_owner() public {
        vm.prank(GUARDIAN);
        vault.pause();
        IVault.Rebalance memory order;
        _rebalanceFails(order, IVault.IsPaused.selector);
        vm.prank(OPERATOR);
        vm.expectRevert(IVault.IsPaused.selector);
        vault.collectFees();
        vm.prank(OWNER);
        vm.expectRevert(IVault.IsPaused.selector);
        vault.rebalance(0, order, block.timestamp);
        vm.prank(OWNER);
        vault.unpause();
        _rebalance(order);
    }

    function test_a_sequence_number_is_good_for_one_call(uint256 seq) public {
        IVault.Rebalance memory order;
        _rebalance(order);
        _wait(600);
        vm.assume(seq != 1);
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(IVault.WrongSeq.selector, 1));
        vault.rebalance(seq, order, block.timestamp);
    }

    function test_an_exit_voids_what_is_on_its_way() public {
        vm.prank(OWNER);
        vault.exit(OWNER, true, true);
        IVault.Rebalance memory order;
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(IVault.WrongSeq.selector, 1));
        vault.rebalance(0, order, block.timestamp);
    }

    function test_nothing_happens_after_the_deadline() public {
        IVault.Rebalance memory order;
        uint256 late = block.timestamp - 1;
        vm.prank(OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(IVault.TooLate.selector, late));
        vault.rebalance(0, order, late);
    }

    function test_the_cooldown_passes_first() public {
        IVault.Rebalance memory order;
        _rebalance(order);
        _wait(599);
        _rebalanceFails(order, IVault.TooSoon.selector);
        _wait(1);
        _rebalance(order);
    }

    function test_the_first_call_waits_for_no_cooldown() public {
        IVault.Bounds memory slow = _bounds();
        slow.cooldown = type(uint32).max;
        vm.prank(OWNER);
        vault.setBounds(slow);
        IVault.Rebalance memory order;
        _rebalance(order);
    }

    function test_a_call_may_come_before_its_deadline() public {
        IVault.Rebalance memory order;
        vm.prank(OPERATOR);
        vault.rebalance(0, order, block.timestamp + 1);
    }

    // --- the price ---

    function test_a_pool_without_history_is_refused() public {
        vm.mockCallRevert(address(pool), abi.encodeWithSelector(IPool.observe.selector), "OLD");
        IVault.Rebalance memory order;
        _rebalanceFails(order, abi.encodeWithSelector(Oracle.NoHistory.selector, 300));
    }

    function test_a_spot_away_from_the_average_is_refused_before() public {
        IVault.Rebalance memory order;
        _settle(0);
        _moveTo(101);
        _rebalanceFails(order, abi.encodeWithSelector(IVault.PriceAway.selector, int24(101), int24(0)));
        _moveTo(-100);
        _rebalance(order);
    }

    function test_a_spot_away_from_the_average_is_refused_after() public {
        _settle(0);
        token0.mint(address(vault), 1e22);
        IVault.Rebalance memory order;
        order.swap = IVault.Swap(true, 1e22, TickMath.getSqrtPriceAtTick(-102) + 1, 1);
        _rebalanceFails(order, abi.encodeWithSelector(IVault.PriceAway.selector, int24(-102), int24(0)));
    }

    function test_a_swap_does_not_excuse_the_spot_before() public {
        IVault.Rebalance memory order;
        _settle(0);
        _moveTo(120);
        order.swap = IVault.Swap(true, 99e18, TickMath.getSqrtPriceAtTick(90), 1);
        _rebalanceFails(order, abi.encodeWithSelector(IVault.PriceAway.selector, int24(120), int24(0)));
    }

    /// @dev The market has jumped, the average has not followed, and the spot is brought back to it.
    function test_the_price_before_the_block_is_near_the_average_too() public {
        _settle(0);
        _moveTo(120);
        _wait(1);
        _moveTo(0);
        IVault.Rebalance memory order;
        _rebalanceFails(order, abi.encodeWithSelector(IVault.PriceAway.selector, int24(120), int24(0)));
    }

    function test_the_price_before_the_block_may_be_as_far_as_the_bound() public {
        _settle(0);
        _moveTo(100);
        _wait(1);
        _moveTo(0);
        IVault.Rebalance memory order;
        _rebalance(order);
    }

    function test_a_loss_at_the_price_before_the_block_counts() public {
        _settle(0);
        _moveTo(99);
        _wait(1);
        _moveTo(0);
        IVault.Rebalance memory order;
        order.mints = _mints(_mint(-30, 30, 5e22));
        _rebalanceFails(order, IVault.LossPerCall.selector);
        _wait(300);
        _rebalance(order);
    }

    function test_a_loss_at_the_price_before_the_block_counts_below_the_average_too() public {
        _settle(0);
        _moveTo(-99);
        _wait(1);
        _moveTo(0);
        IVault.Rebalance memory order;
        order.mints = _mints(_mint(-30, 30, 5e22));
        _rebalanceFails(order, IVault.LossPerCall.selector);
    }

    /// @dev What is sold down to the average, or bought up to it, is sold at a gain there, and at a loss here.
    function test_a_loss_at_the_spot_counts() public {
        IVault.Rebalance memory order;
        for (uint256 i = 0; i < 2; i++) {
            _settle(0);
            _moveTo(i == 0 ? int24(99) : int24(-99));
            order.swap = IVault.Swap(i == 0, 95e18, i == 0 ? BELOW : ABOVE, 1);
            _rebalanceFails(order, IVault.LossPerCall.selector);
        }
    }

    function test_the_average_is_rounded_down(int32 moved, int24 last) public {
        int56[] memory sums = new int56[](3);
        (sums[1], sums[2]) = (int56(moved) - last, moved);
        bytes memory answer = abi.encode(sums, new uint160[](3));
        vm.mockCall(address(pool), abi.encodeWithSelector(IPool.observe.selector), answer);
        (int256 average, int24 found) = Oracle.ticks(pool, 300);
        require(average * 300 <= moved && moved < (average + 1) * 300, "not rounded down");
        require(found == last, "another last tick");
    }

    function test_the_average_is_that_of_the_window_and_the_last_that_before_the_block() public {
        _settle(0);
        _moveTo(60);
        _wait(100);
        _moveTo(-500);
        (int24 average, int24 last) = Oracle.ticks(pool, 300);
        require(average == 20, "not a third of the way");
        require(last == 60, "not the one before");
    }

    // --- burning ---

    function test_a_kept_range_must_be_held() public {
        IVault.Rebalance memory order;
        order.keep = 1;
        _rebalanceFails(order, abi.encodeWithSelector(IVault.NotHeld.selector, 1));
        _open(-60, 60, 1e20);
        _wait(600);
        order.keep = 3;
        _rebalanceFails(order, abi.encodeWithSelector(IVault.NotHeld.selector, 3));
        uint128 before = _liquidity(-60, 60);
        order.keep = 1;
        _rebalance(order);
        _equal(_liquidity(-60, 60), before);
    }

    function test_a_burn_has_minimums() public {
        _open(-60, 60, 1e20);
        _wait(600);
        IVault.Rebalance memory order;
        _rebalanceFails(order, IVault.NoMinimum.selector);
        order.burn0Min = 1e20;
        _rebalanceFails(order, IVault.BurnedTooLittle.selector);
        (order.burn0Min, order.burn1Min) = (0, 1e20);
        _rebalanceFails(order, IVault.BurnedTooLittle.selector);
        order.burn1Min = 1;
        _rebalance(order);
    }

    function test_dust_that_burns_to_nothing_needs_no_minimum() public {
        _open(-60, 60, 1);
        _wait(600);
        IVault.Rebalance memory order;
        _rebalance(order);
        _equal(vault.ranges().length, 0);
    }

    // --- swapping ---

    function test_a_swap_has_a_minimum() public {
        IVault.Rebalance memory order;
        order.swap = IVault.Swap(true, 1e18, BELOW, 0);
        _rebalanceFails(order, IVault.NoMinimum.selector);
        order.swap.minOut = 1e18;
        _rebalanceFails(order, IVault.SwappedTooLittle.selector);
        order.swap.minOut = 9e17;
        _rebalance(order);
    }

    function test_a_minimum_is_of_what_comes_out_whichever_way() public {
        IVault.Rebalance memory order;
        for (uint256 i = 0; i < 2; i++) {
            order.swap = IVault.Swap(i == 0, 1e18, i == 0 ? BELOW : ABOVE, 1);
            uint256 before = vm.snapshotState();
            uint256[2] memory had = _balances();
            _rebalance(order);
            order.swap.minOut = _balances()[1 - i] - had[1 - i];
            vm.revertToState(before);
            before = vm.snapshotState();
            _rebalance(order);
            vm.revertToState(before);
            order.swap.minOut++;
            _rebalanceFails(order, IVault.SwappedTooLittle.selector);
        }
    }

    function test_a_price_limit_lies_ahead() public {
        IVault.Rebalance memory order;
        uint160[3] memory down = [ABOVE, TickMath.MIN_SQRT_PRICE, 0];
        uint160[3] memory up = [BELOW, TickMath.MAX_SQRT_PRICE, type(uint160).max];
        for (uint256 i = 0; i < 3; i++) {
            order.swap = IVault.Swap(true, 1e18, down[i], 1);
            _rebalanceFails(order, IVault.BadPriceLimit.selector);
            order.swap = IVault.Swap(false, 1e18, up[i], 1);
            _rebalanceFails(order, IVault.BadPriceLimit.selector);
        }
    }

    function test_a_swap_goes_both_ways_and_stops_at_its_limit() public {
        IVault.Rebalance memory order;
        order.swap = IVault.Swap(true, 1e19, TickMath.getSqrtPriceAtTick(-2), 1);
        _rebalance(order);
        require(_tick() == -2, "not at the limit");
        require(token0.balanceOf(address(vault)) > FUNDS - 1e19, "all was paid");
        _wait(600);
        order.swap = IVault.Swap(false, 1e18, ABOVE, 9e17);
        _rebalance(order);
    }

    // --- minting ---

    function test_bad_ranges_are_refused() public {
        int24[2][6] memory bad = [
            [int24(60), -60],
            [int24(60), 60],
            [int24(-61), 60],
            [int24(-60), 65],
            [int24(-887280), 60],
            [int24(-60), 887280]
        ];
        IVault.Rebalance memory order;
        for (uint256 i = 0; i < bad.length; i++) {
            order.mints = _mints(_mintAll(bad[i][0], bad[i][1]));
            _rebalanceFails(order, abi.encodeWithSelector(IVault.BadRange.selector, bad[i][0], bad[i][1]));
        }
    }

    function test_a_range_is_wide_enough() public {
        IVault.Rebalance memory order;
        order.mints = _mints(_mint(-20, 30, 1e20));
        _rebalanceFails(order, abi.encodeWithSelector(IVault.TooNarrow.selector, int24(-20), int24(30)));
        _open(-30, 30, 1e20);
    }

    function test_the_first_centre_is_near_the_average() public {
        IVault.Rebalance memory order;
        order.mints = _mints(_mint(1980, 2040, 1e20));
        _rebalanceFails(order, IVault.TooFar.selector);
        _settle(0);
        order.mints = _mints(_mint(1970, 2030, 1e20));
        _rebalance(order);
    }

    function test_the_centre_moves_so_far_and_no_further() public {
        _open(-60, 60, 1e20);
        _settle(1500);
        IVault.Rebalance memory order = _order();
        (order.burn0Min, order.burn1Min) = (0, 1);
        order.mints = _mints(_mint(1980, 2040, 1e18));
        _rebalanceFails(order, abi.encodeWithSelector(IVault.TooFar.selector, int24(2010), int24(0)));
        order.mints = _mints(_mint(1970, 2030, 1e18));
        _rebalance(order);
    }

    function test_the_centre_is_that_of_all_ranges() public {
        int24[3][3] memory others = [[int24(-3000), -2900, -1200], [int24(2900), 3000, 1200], [int24(-60), 60, 0]];
        for (uint256 i = 0; i < 3; i++) {
            uint256 before = vm.snapshotState();
            IVault.Rebalance memory order;
            order.mints = _mints(_mint(-600, 600, 1e20), _mint(others[i][0], others[i][1], 1e20));
            _rebalance(order);
            (,,, int24 centre,) = vault.state();
            require(centre == others[i][2], "another centre");
            vm.revertToState(before);
        }
    }

    function test_the_first_centre_after_an_exit_is_near_the_average_too() public {
        _settle(2500);
        _open(2470, 2530, 1e18);
        vm.prank(OWNER);
        vault.exit(address(vault), true, true);
        _settle(5000);
        _open(4970, 5030, 1e18);
    }

    function test_closing_everything_does_not_forget_the_centre() public {
        _open(-60, 60, 1e20);
        _settle(2500);
        IVault.Rebalance memory order;
        order.burn1Min = 1;
        _rebalance(order);
        _wait(600);
        IVault.Rebalance memory again;
        again.mints = _mints(_mint(2470, 2530, 1e18));
        _rebalanceFails(again, abi.encodeWithSelector(IVault.TooFar.selector, int24(2500), int24(0)));
    }

    function test_closing_everything_keeps_the_centre() public {
        _settle(1000);
        _open(970, 1030, 1e18);
        _wait(600);
        _rebalance(_order());
        (,,, int24 centre, bool centred) = vault.state();
        require(centre == 1000 && centred, "another centre");
    }

    function test_the_widest_range_is_a_range() public {
        (bool done,) = address(factory).call(abi.encodeWithSignature("enableFeeAmount(uint24,int24)", 100, 1));
        require(done, "no such fee");
        pool = IPoolFull(factory.createPool(address(token0), address(token1), 100));
        pool.initialize(1 << 96);
        market.add(pool, -887272, 887272, 1e22);
        _wait(600);
        vault = _vault();
        _fund(FUNDS);
        _open(-887272, 887272, 1e18);
    }

    function test_four_ranges_and_not_five() public {
        IVault.Rebalance memory order;
        order.mints = new IVault.Mint[](5);
        for (int24 i = 0; i < 5; i++) order.mints[uint24(i)] = _mint(-60 - 10 * i, 60 + 10 * i, 1e19);
        _rebalanceFails(order, IVault.TooManyRanges.selector);
        order.mints[4] = order.mints[0];
        _rebalance(order);
        _equal(vault.ranges().length, 4);
        _atMost(2e19, _liquidity(-60, 60));
        _wait(600);
        IVault.Rebalance memory more;
        more.keep = 15;
        more.mints = _mints(_mint(-70, 70, 1e19));
        _rebalance(more);
        _atMost(2e19, _liquidity(-70, 70));
        _wait(600);
        more.mints = _mints(_mint(-200, 200, 1e19));
        _rebalanceFails(more, IVault.TooManyRanges.selector);
        (more.keep, more.burn0Min) = (5, 1);
        _rebalance(more);
        int24[2][] memory held = vault.ranges();
        _equal(held.length, 3);
        require(held[0][0] == -60 && held[1][0] == -80 && held[2][1] == 200, "other ranges");
    }

    function test_a_mint_of_no_liquidity_is_refused() public {
        IVault.Rebalance memory order;
        order.mints = _mints(IVault.Mint(-60, 60, 0, 1e20, 1, 0));
        _rebalanceFails(order, IVault.NoLiquidity.selector);
        order.mints[0] = IVault.Mint(60, 120, 0, 1e20, 1, 0);
        _rebalanceFails(order, IVault.NoLiquidity.selector);
        order.mints[0] = IVault.Mint(-120, -60, 1e20, 0, 0, 1);
        _rebalanceFails(order, IVault.NoLiquidity.selector);
    }

    function test_a_mint_has_minimums() public {
        IVault.Rebalance memory order;
        order.mints = _mints(IVault.Mint(-60, 60, 1e18, 1e18, 0, 0));
        _rebalanceFails(order, IVault.NoMinimum.selector);
        order.mints[0].amount0Min = 1e18 + 1;
        _rebalanceFails(order, IVault.MintedTooLittle.selector);
        (order.mints[0].amount0Min, order.mints[0].amount1Min) = (0, 1e18 + 1);
        _rebalanceFails(order, IVault.MintedTooLittle.selector);
        (order.mints[0].amount0Min, order.mints[0].amount1Min) = (99e16, 99e16);
        _rebalance(order);
    }

    function test_a_mint_of_more_than_is_held_takes_what_is_held() public {
        IVault.Rebalance memory order;
        order.mints = _mints(IVault.Mint(60, 120, 1e30, 0, FUNDS, 0), IVault.Mint(-120, -60, 0, 1e30, 0, FUNDS));
        _rebalance(order);
        _equal(token0.balanceOf(address(vault)), 0);
        _equal(token1.balanceOf(address(vault)), 0);
    }

    function test_a_mint_of_one_token_does_not_need_the_other() public {
        IVault.Rebalance memory order;
        order.mints = _mints(_mint(-120, -60, 1e20));
        vm.mockCallRevert(address(token0), abi.encodeWithSelector(IToken.transfer.selector), "frozen");
        _rebalance(order);
        vm.clearMockedCalls();
        _wait(600);
        (order.keep, order.mints) = (1, _mints(_mint(60, 120, 1e20)));
        vm.mockCallRevert(address(token1), abi.encodeWithSelector(IToken.transfer.selector), "frozen");
        _rebalance(order);
    }

    function test_two_mints_of_one_range_count_twice() public {
        IVault.Rebalance memory order;
        order.mints = _mints(_mint(-60, 60, 2e21), _mint(-60, 60, 2e21));
        _rebalance(order);
    }

    function test_a_mint_takes_the_smaller_liquidity_of_the_two_tokens() public {
        IVault.Rebalance memory order;
        order.mints = _mints(IVault.Mint(-60, 60, 1e18, 50e18, 1, 1));
        _rebalance(order);
        require(token0.balanceOf(address(vault)) - (FUNDS - 1e18) <= 1, "not all of token0 was used");
        _atMost(FUNDS - 2e18, token1.balanceOf(address(vault)));
    }

    // --- losses ---

    function test_a_loss_above_that_of_a_call_is_refused() public {
        _settle(0);
        _moveTo(99);
        IVault.Rebalance memory order;
        order.mints = _mints(_mint(70, 130, 5e22));
        _rebalanceFails(order, IVault.LossPerCall.selector);
    }

    function test_the_losses_of_a_day_come_from_one_budget() public {
        _settle(0);
        _equal(vault.budgetLeft(), 5e15);
        IVault.Rebalance memory order;
        order.swap = IVault.Swap(true, 30e18, BELOW, 1); // of 200: the fee and 30 ticks of impact, 0.05 % a call
        bytes4 reason;
        uint256 calls = 0;
        for (; calls < 100 && reason == 0; calls++) {
            (order.swap.zeroForOne, order.swap.sqrtPriceLimitX96) = calls % 2 == 0 ? (true, BELOW) : (false, ABOVE);
            reason = _try(order);
            _wait(600);
        }
        require(reason == IVault.LossPerDay.selector, "stopped by something else");
        _wait(1 days);
        _equal(vault.budgetLeft(), 5e15);
        require(_try(order) == 0, "the budget is not back");
    }

    function _try(IVault.Rebalance memory order) private returns (bytes4) {
        bytes memory data = abi.encodeCall(vault.rebalance, (_seq(), order, block.timestamp));
        vm.prank(OPERATOR);
        (bool done, bytes memory reason) = address(vault).call(data);
        return done ? bytes4(0) : bytes4(reason);
    }

    function test_an_empty_vault_loses_nothing_where_nothing_may_be_lost() public {
        IVault.Bounds memory none = _bounds();
        (none.maxLossPerCall, none.maxLossPerDay) = (0, 0);
        vm.startPrank(OWNER);
        vault.exit(OWNER, true, true);
        vault.setBounds(none);
        vm.stopPrank();
        IVault.Rebalance memory order;
        _rebalance(order);
    }

    function test_nothing_is_left_where_more_was_lost_than_may_be_now() public {
        IVault.Rebalance memory order;
        order.swap = IVault.Swap(true, 30e18, BELOW, 1);
        _rebalance(order);
        IVault.Bounds memory stricter = _bounds();
        (stricter.maxLossPerCall, stricter.maxLossPerDay) = (10, 10);
        vm.prank(OWNER);
        vault.setBounds(stricter);
        _equal(vault.budgetLeft(), 0);
    }

    function test_fees_do_not_hide_a_loss() public {
        _open(-600, 600, 1e21);
        for (uint256 i = 0; i < 20; i++) market.swap(pool, i % 2 == 0, 1e21);
        _settle(0);
        _moveTo(99);
        IVault.Rebalance memory order = _order();
        order.mints = _mints(_mint(70, 130, 5e22));
        _rebalanceFails(order, IVault.LossPerCall.selector);
    }

    function test_the_gain_of_a_burn_away_from_the_average_does_not_hide_a_loss() public {
        IVault.Bounds memory stricter = _bounds();
        stricter.maxLossPerCall = 1_000;
        vm.prank(OWNER);
        vault.setBounds(stricter);
        _open(70, 130, 3e22);
        _settle(0);
        uint256 before = _worthAt(0);
        _moveTo(99);
        IVault.Rebalance memory order = _order();
        order.mints = _mints(_mint(70, 130, 3e22));
        require(_worthAt(0) == before, "the counting itself moved");
        _rebalanceFails(order, IVault.LossPerCall.selector);
    }

    // --- compounding and the books ---

    function test_collected_fees_stay_and_are_put_to_work() public {
        _open(-600, 600, 1e21);
        for (uint256 i = 0; i < 10; i++) market.swap(pool, i % 2 == 0, 1e19);
        uint256 before = token0.balanceOf(address(vault));
        vm.prank(OPERATOR);
        vault.collectFees();
        require(token0.balanceOf(address(vault)) > before, "no fees");
        _settle(0);
        IVault.Rebalance memory order;
        order.keep = 1;
        order.mints = _mints(_mint(-600, 600, 1e17));
        _rebalance(order);
        _atMost(1e21 + 1e17, _liquidity(-600, 600));
    }

    /// forge-config: default.fuzz.runs = 100
    /// forge-config: full.fuzz.runs = 10000
    function test_the_events_add_up_to_the_balances(uint64 traded) public {
        vm.assume(traded > 0);
        vm.recordLogs();
        uint256[2] memory start = _balances();
        _open(-600, 600, 1e21);
        for (uint256 i = 0; i < 4; i++) market.swap(pool, i % 2 == 0, traded);
        vm.prank(OPERATOR);
        vault.collectFees();
        for (uint256 i = 0; i < 4; i++) market.swap(pool, i % 2 == 0, traded);
        _settle(0);
        IVault.Rebalance memory order = _order();
        order.swap = IVault.Swap(false, 1e18, ABOVE, 9e17);
        order.mints = _mints(_mint(-600, 700, 1e21), _mint(60, 360, 5e20));
        _rebalance(order);
        vm.prank(OWNER);
        vault.exit(OWNER, true, true);

        int256[2] memory booked;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) if (logs[i].emitter == address(vault)) _book(booked, logs[i]);
        require(booked[0] == -int256(start[0]) && booked[1] == -int256(start[1]), "the books do not close");
    }

    function _balances() private view returns (uint256[2] memory) {
        return [token0.balanceOf(address(vault)), token1.balanceOf(address(vault))];
    }

    function _book(int256[2] memory booked, Vm.Log memory log) private view {
        bytes32 topic = log.topics[0];
        if (topic == IVault.Collected.selector) {
            (,, uint256 a, uint256 b) = abi.decode(log.data, (int24, int24, uint256, uint256));
            (booked[0], booked[1]) = (booked[0] + int256(a), booked[1] + int256(b));
        } else if (topic == IVault.Minted.selector) {
            (,,, uint256 a, uint256 b) = abi.decode(log.data, (int24, int24, uint128, uint256, uint256));
            (booked[0], booked[1]) = (booked[0] - int256(a), booked[1] - int256(b));
        } else if (topic == IVault.Swapped.selector) {
            (int256 a, int256 b) = abi.decode(log.data, (int256, int256));
            (booked[0], booked[1]) = (booked[0] - a, booked[1] - b);
        } else if (topic == IVault.Withdrawn.selector) {
            bool zero = address(uint160(uint256(log.topics[1]))) == address(token0);
            booked[zero ? 0 : 1] -= int256(abi.decode(log.data, (uint256)));
        }
    }

    function test_the_event_says_what_was_lost_and_what_is_left() public {
        _settle(0);
        IVault.Rebalance memory order;
        order.swap = IVault.Swap(true, 30e18, BELOW, 1);
        vm.recordLogs();
        _rebalance(order);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory log = logs[logs.length - 1];
        require(log.topics[0] == IVault.Rebalanced.selector && uint256(log.topics[1]) == 0, "another event");
        (,, uint256 before, uint256 later, uint256 loss, uint256 left) =
            abi.decode(log.data, (int24, uint160, uint256, uint256, uint256, uint256));
        _equal(loss, ((before - later) * 1e18 + before - 1) / before);
        _equal(left, 5e15 - loss);
        _equal(left, vault.budgetLeft());
        require(loss > 3e14 && loss < 1e15, "not about 0.05 %");
    }

    function test_what_is_kept_counts() public {
        _open(-600, 600, 1e21);
        _wait(600);
        IVault.Rebalance memory order;
        order.keep = 1;
        vm.recordLogs();
        _rebalance(order);
        (, uint160 price, uint256 before,,,) =
            abi.decode(vm.getRecordedLogs()[0].data, (int24, uint160, uint256, uint256, uint256, uint256));
        (uint256 amount0, uint256 amount1) = _amountsAt(price);
        _equal(before, Worth.value(amount0, amount1, price, true));
    }

    function test_every_event_tells_the_number_of_its_call() public {
        _open(-600, 600, 1e21);
        _wait(600);
        IVault.Rebalance memory order = _order();
        order.swap = IVault.Swap(true, 1e18, BELOW, 9e17);
        order.mints = _mints(_mint(-600, 600, 1e20));
        vm.recordLogs();
        _rebalance(order);
        _equal(_told(1), 5); // burned, collected, swapped, minted, rebalanced
        vm.prank(OPERATOR);
        vault.collectFees();
        _equal(_told(2), 1);
        vm.prank(OWNER);
        vault.exit(OWNER, true, true);
        _equal(_told(2), 3); // burned, collected, exited
    }

    /// @dev How many events, but those of withdrawals, the vault made since the last look, all of them in this call.
    function _told(uint256 seq) private returns (uint256 count) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].emitter != address(vault) || logs[i].topics[0] == IVault.Withdrawn.selector) continue;
            _equal(uint256(logs[i].topics[1]), seq);
            count++;
        }
    }

    // --- callbacks ---

    function test_only_the_pool_calls_back_and_only_when_asked() public {
        address[3] memory callers = [STRANGER, OPERATOR, OWNER];
        for (uint256 i = 0; i < 3; i++) {
            vm.prank(callers[i]);
            vm.expectRevert(IVault.NotPool.selector);
            vault.uniswapV3MintCallback(1, 1, "");
            vm.prank(callers[i]);
            vm.expectRevert(IVault.NotPool.selector);
            vault.uniswapV3SwapCallback(1, 1, "");
        }
        vm.prank(address(pool));
        vm.expectRevert(IVault.NotInFlight.selector);
        vault.uniswapV3MintCallback(1, 1, "");
        vm.prank(address(pool));
        vm.expectRevert(IVault.NotInFlight.selector);
        vault.uniswapV3SwapCallback(1, 1, "");
    }
}

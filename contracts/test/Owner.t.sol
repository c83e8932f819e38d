// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LiquidityVault} from "../src/LiquidityVault.sol";
import {Borrower, IFlashPool} from "../src/TokenProbe.sol";
import {FeeOnTransferToken} from "../src/test/FeeOnTransferToken.sol";
import {NoReturnToken} from "../src/test/NoReturnToken.sol";
import {TestToken} from "../src/test/TestToken.sol";
import {IPool, IToken} from "../src/vault/IUniswapV3.sol";
import {IVault} from "../src/vault/IVault.sol";
import {Oracle} from "../src/vault/Oracle.sol";
import {TokenTest} from "../src/vault/TokenTest.sol";
import {Bench, IFactoryFull, IPoolFull} from "./Bench.sol";
import {Curious} from "./Curious.sol";
import {Vm, vm} from "./Vm.sol";

/// @notice Deployment, roles, bounds, pause, withdrawals.
contract OwnerTest is Bench {
    // --- deployment ---

    function test_what_is_deployed_is_what_was_asked_for() public view {
        _equal(address(vault.pool()), address(pool));
        _equal(vault.token0(), address(token0));
        _equal(vault.token1(), address(token1));
        _equal(vault.owner(), OWNER);
        _equal(vault.operator(), OPERATOR);
        _equal(vault.guardian(), GUARDIAN);
        require(vault.tickSpacing() == 10, "tick spacing");
        _equal(vault.MAX_RANGES(), 4);
        (uint32 window, uint24 deviation, uint24 width, uint24 move, uint32 cooldown, uint24 perCall, uint24 perDay) =
            vault.bounds();
        IVault.Bounds memory found = IVault.Bounds(window, deviation, width, move, cooldown, perCall, perDay);
        require(keccak256(abi.encode(found)) == keccak256(abi.encode(_bounds())), "bounds");
    }

    function test_an_owner_is_needed() public {
        vm.expectRevert(IVault.ZeroAddress.selector);
        new LiquidityVault(factory, pool, address(0), OPERATOR, GUARDIAN, _bounds());
    }

    function test_a_pool_of_another_factory_is_refused() public {
        IFactoryFull other = IFactoryFull(_deploy(vm.getCode(FACTORY)));
        vm.expectRevert(abi.encodeWithSelector(IVault.PoolNotOfFactory.selector, pool));
        new LiquidityVault(other, pool, OWNER, OPERATOR, GUARDIAN, _bounds());
    }

    function test_a_pool_that_cannot_look_back_is_refused() public {
        IVault.Bounds memory bounds = _bounds();
        bounds.twapWindow = 1 days;
        vm.expectRevert(abi.encodeWithSelector(Oracle.NoHistory.selector, 1 days));
        new LiquidityVault(factory, pool, OWNER, OPERATOR, GUARDIAN, bounds);
    }

    function test_a_token_that_returns_nothing_is_refused() public {
        NoReturnToken token = new NoReturnToken();
        token.mint(address(market), 1e60);
        _refused(address(token), TokenTest.TokenRefused.selector);
    }

    function test_a_token_that_takes_a_fee_is_refused_whichever_way_it_takes_it() public {
        FeeOnTransferToken token = new FeeOnTransferToken("Fee", "FEE", 18, 100);
        token.mint(address(market), 1e60);
        IPoolFull made = _poolWith(address(token));
        token.tax(address(made), address(0));
        _refused(made, TokenTest.TokenRefused.selector);
        token.tax(address(0), address(made));
        _refused(made, TokenTest.TokenRefused.selector);
        token.tax(address(0), address(0));
        new LiquidityVault(factory, made, OWNER, OPERATOR, GUARDIAN, _bounds());
    }

    function test_a_token_of_which_there_is_nothing_to_lend_is_refused() public {
        IPoolFull made = IPoolFull(factory.createPool(address(token0), address(new TestToken("", "", 0)), FEE));
        made.initialize(1 << 96);
        _wait(600);
        _refused(made, TokenTest.TokenUntestable.selector);
        token0.mint(address(made), 1e18);
        TestToken(made.token0()).mint(address(made), 1e18);
        TestToken(made.token1()).mint(address(made), 1e18);
        _refused(made, TokenTest.TokenUntestable.selector); // without liquidity the pool lends nothing
    }

    function test_a_token_of_which_there_is_too_little_to_lend_is_refused() public {
        TestToken other = new TestToken("", "", 0);
        other.mint(address(market), 1e18);
        (address a, address b) = _sorted(address(token0), address(other));
        IPoolFull made = IPoolFull(factory.createPool(a, b, FEE));
        made.initialize(1 << 96);
        market.add(made, -887270, 887270, 9_999);
        _wait(600);
        _refused(made, TokenTest.TokenUntestable.selector);
        market.add(made, -887270, 887270, 1);
        _wait(600);
        new LiquidityVault(factory, made, OWNER, OPERATOR, GUARDIAN, _bounds());
    }

    function test_either_token_is_tested() public {
        NoReturnToken bad = new NoReturnToken();
        bad.mint(address(market), 1e60);
        bool[2] memory seen;
        while (!seen[0] || !seen[1]) {
            TestToken good = new TestToken("", "", 0);
            bool first = address(bad) < address(good);
            if (seen[first ? 0 : 1]) continue;
            seen[first ? 0 : 1] = true;
            good.mint(address(market), 1e60);
            (address a, address b) = _sorted(address(bad), address(good));
            _refused(_pool(a, b, 0), TokenTest.TokenRefused.selector);
        }
    }

    function test_a_token_that_the_pool_does_not_lend_is_refused_whatever_it_says() public {
        vm.mockCallRevert(address(pool), abi.encodeWithSelector(IFlashPool.flash.selector), hex"ffffffff");
        _refused(pool, TokenTest.TokenUntestable.selector);
    }

    function test_a_token_that_only_says_that_it_was_sent_is_measured() public {
        Borrower borrower = new Borrower();
        vm.mockCall(address(token0), abi.encodeWithSelector(IToken.transfer.selector, pool), abi.encode(true));
        vm.expectRevert(abi.encodeWithSelector(Borrower.Measured.selector, 1e18, 1e18, 0, 0));
        borrower.borrow(address(pool), address(token0), 1e18, true);
    }

    /// @dev Whose code was run in the place of a token's own would say what it does in the vault's name.
    function test_a_vault_that_is_made_says_who_and_what_was_set_and_no_more() public {
        vm.recordLogs();
        address made = address(_vault());
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 count = 0;
        for (uint256 i = 0; i < logs.length; i++) if (logs[i].emitter == made) count++;
        _equal(count, 4);
    }

    function test_a_token_that_cannot_be_sent_back_is_refused() public {
        bytes memory back = abi.encodeWithSelector(IToken.transfer.selector, pool);
        vm.mockCall(address(token0), back, abi.encode(false));
        _refused(pool, TokenTest.TokenUntestable.selector);
        vm.clearMockedCalls();
        vm.mockCallRevert(address(token0), back, "frozen");
        _refused(pool, TokenTest.TokenUntestable.selector);
    }

    function test_one_token_is_lent_where_there_is_little_of_the_other() public {
        for (int24 tick = -100_000; tick <= 100_000; tick += 200_000) {
            TestToken other = new TestToken("", "", 0);
            other.mint(address(market), 1e60);
            (address a, address b) = _sorted(address(token0), address(other));
            IPoolFull made = _pool(a, b, tick);
            new LiquidityVault(factory, made, OWNER, OPERATOR, GUARDIAN, _bounds());
        }
    }

    function test_a_token_that_answers_false_is_refused() public {
        vm.mockCall(address(token0), abi.encodeWithSelector(IToken.transfer.selector), abi.encode(false));
        _refused(pool, TokenTest.TokenRefused.selector);
    }

    function _refused(address token, bytes4 selector) private {
        _refused(_poolWith(token), selector);
    }

    function _poolWith(address token) private returns (IPoolFull) {
        (address a, address b) = _sorted(token, address(token1));
        return _pool(a, b, 0);
    }

    function _sorted(address a, address b) private pure returns (address, address) {
        return a < b ? (a, b) : (b, a);
    }

    function _refused(IPoolFull made, bytes4 selector) private {
        try new LiquidityVault(factory, made, OWNER, OPERATOR, GUARDIAN, _bounds()) {
            revert("it was deployed");
        } catch (bytes memory reason) {
            require(bytes4(reason) == selector, "another reason");
        }
    }

    // --- roles and bounds ---

    function test_ownership_takes_two_steps() public {
        vm.prank(STRANGER);
        vm.expectRevert(IVault.NotOwner.selector);
        vault.proposeOwner(STRANGER);
        vm.prank(OWNER);
        vault.proposeOwner(STRANGER);
        _equal(vault.owner(), OWNER);
        vm.prank(OPERATOR);
        vm.expectRevert(IVault.NotPendingOwner.selector);
        vault.acceptOwner();
        vm.prank(STRANGER);
        vault.acceptOwner();
        _equal(vault.owner(), STRANGER);
        _equal(vault.pendingOwner(), address(0));
        vm.prank(STRANGER);
        vm.expectRevert(IVault.NotPendingOwner.selector);
        vault.acceptOwner();
    }

    function test_nobody_but_the_owner_sets_or_takes_anything() public {
        address[3] memory callers = [OPERATOR, GUARDIAN, STRANGER];
        bytes[7] memory calls = [
            abi.encodeCall(vault.withdraw, (address(token0), 1, OPERATOR)),
            abi.encodeCall(vault.exit, (OPERATOR, true, true)),
            abi.encodeCall(vault.proposeOwner, (OPERATOR)),
            abi.encodeCall(vault.setOperator, (STRANGER)),
            abi.encodeCall(vault.setGuardian, (STRANGER)),
            abi.encodeCall(vault.setBounds, (_bounds())),
            abi.encodeCall(vault.unpause, ())
        ];
        for (uint256 i = 0; i < 3; i++) {
            for (uint256 j = 0; j < calls.length; j++) {
                vm.prank(callers[i]);
                (bool done, bytes memory reason) = address(vault).call(calls[j]);
                require(!done && bytes4(reason) == IVault.NotOwner.selector, "let through");
            }
        }
    }

    function test_the_owner_changes_operator_and_guardian() public {
        vm.prank(OWNER);
        vault.setOperator(STRANGER);
        vm.prank(OWNER);
        vault.setGuardian(OPERATOR);
        _equal(vault.operator(), STRANGER);
        _equal(vault.guardian(), OPERATOR);
        IVault.Rebalance memory order;
        _rebalanceFails(order, IVault.NotOperator.selector);
    }

    function test_guardian_and_owner_pause_and_the_owner_alone_ends_it() public {
        address[2] memory refused = [STRANGER, OPERATOR];
        for (uint256 i = 0; i < 2; i++) {
            vm.prank(refused[i]);
            vm.expectRevert(IVault.NotGuardian.selector);
            vault.pause();
        }
        vm.prank(GUARDIAN);
        vault.pause();
        require(vault.paused(), "not paused");
        vm.prank(OWNER);
        vault.unpause();
        require(!vault.paused(), "still paused");
        vm.prank(OWNER);
        vault.pause();
        require(vault.paused(), "not paused");
    }

    function test_bounds_are_never_looser_than_the_constants() public {
        IVault.Bounds[6] memory bad;
        for (uint256 i = 0; i < 6; i++) bad[i] = _bounds();
        bad[0].twapWindow = 59;
        bad[1].cooldown = 59;
        bad[2].maxDeviation = 201;
        bad[3].maxLossPerDay = 50_001;
        bad[4].maxLossPerCall = 10_001;
        (bad[5].maxLossPerCall, bad[5].maxLossPerDay) = (1, 0);
        for (uint256 i = 0; i < 6; i++) {
            vm.prank(OWNER);
            vm.expectRevert(IVault.BoundsTooLoose.selector);
            vault.setBounds(bad[i]);
            vm.expectRevert(IVault.BoundsTooLoose.selector);
            new LiquidityVault(factory, pool, OWNER, OPERATOR, GUARDIAN, bad[i]);
        }
        vm.prank(OWNER);
        vault.setBounds(IVault.Bounds(60, 200, 0, 0, 60, 50_000, 50_000));
        _equal(vault.budgetLeft(), 25e15);
    }

    function test_what_the_owner_changes_is_told() public {
        vm.recordLogs();
        vm.startPrank(OWNER);
        vault.proposeOwner(STRANGER);
        vault.setOperator(STRANGER);
        vault.setGuardian(STRANGER);
        vault.pause();
        vault.unpause();
        vault.setBounds(_bounds());
        vm.stopPrank();
        vm.prank(STRANGER);
        vault.acceptOwner();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32[7] memory events = [
            IVault.OwnerProposed.selector,
            IVault.OperatorSet.selector,
            IVault.GuardianSet.selector,
            IVault.Paused.selector,
            IVault.Unpaused.selector,
            IVault.BoundsSet.selector,
            IVault.OwnerSet.selector
        ];
        _equal(logs.length, events.length);
        for (uint256 i = 0; i < events.length; i++) {
            require(logs[i].topics[0] == events[i], "another event");
            if (i < 4 || i == 6) _equal(address(uint160(uint256(logs[i].topics[1]))), i == 3 ? OWNER : STRANGER);
        }
        require(keccak256(logs[5].data) == keccak256(abi.encode(_bounds())), "other bounds");
    }

    // --- taking out ---

    function test_the_owner_withdraws_a_part_or_all_of_any_token() public {
        TestToken other = new TestToken("", "", 0);
        other.mint(address(vault), 5);
        vm.startPrank(OWNER);
        vault.withdraw(address(token0), 1e18, STRANGER);
        vault.withdraw(address(token1), type(uint256).max, STRANGER);
        vault.withdraw(address(other), type(uint256).max, STRANGER);
        vm.stopPrank();
        _equal(token0.balanceOf(STRANGER), 1e18);
        _equal(token1.balanceOf(STRANGER), FUNDS);
        _equal(other.balanceOf(STRANGER), 5);
    }

    function test_a_token_that_returns_nothing_can_be_taken_out() public {
        NoReturnToken other = new NoReturnToken();
        other.mint(address(vault), 5);
        vm.prank(OWNER);
        vault.withdraw(address(other), 5, OWNER);
        _equal(other.balanceOf(OWNER), 5);
    }

    function test_what_cannot_be_sent_is_said() public {
        vm.startPrank(OWNER);
        vm.expectRevert(IVault.ZeroAddress.selector);
        vault.withdraw(address(token0), 1, address(0));
        vm.expectRevert(abi.encodeWithSelector(IVault.TransferFailed.selector, token0));
        vault.withdraw(address(token0), FUNDS + 1, OWNER);
        vm.expectRevert(abi.encodeWithSelector(IVault.TransferFailed.selector, STRANGER));
        vault.withdraw(STRANGER, 1, OWNER);
        vm.mockCall(address(token0), abi.encodeWithSelector(IToken.transfer.selector), abi.encode(false));
        vm.expectRevert(abi.encodeWithSelector(IVault.TransferFailed.selector, token0));
        vault.withdraw(address(token0), 1, OWNER);
    }

    function test_a_frozen_token_does_not_hold_the_other() public {
        _open(-600, 600, 1e21);
        vm.mockCallRevert(address(token1), abi.encodeWithSelector(IToken.transfer.selector), "frozen");
        vm.prank(OWNER);
        vault.exit(OWNER, true, false);
        _atMost(FUNDS - 2, token0.balanceOf(OWNER));
        _equal(vault.ranges().length, 1);
        vm.clearMockedCalls();
        vm.prank(OPERATOR);
        vault.collectFees();
        vm.prank(OWNER);
        vault.exit(OWNER, false, true);
        vm.prank(OWNER);
        vault.exit(OWNER, true, true);
        _atMost(FUNDS - 2, token1.balanceOf(OWNER));
        _equal(vault.ranges().length, 0);
    }

    function test_nor_does_the_first_token_hold_the_second() public {
        _open(-600, 600, 1e21);
        vm.mockCallRevert(address(token0), abi.encodeWithSelector(IToken.transfer.selector), "frozen");
        vm.prank(OWNER);
        vault.exit(OWNER, false, true);
        _atMost(FUNDS - 2, token1.balanceOf(OWNER));
    }

    /// @dev Paused, without an oracle, at any price the pool can have, in range or out of it.
    function test_the_owner_can_always_leave_with_everything(int24 tick, bool paused, bool blind, bool idle) public {
        if (!idle) {
            IVault.Rebalance memory order;
            order.mints = _mints(_mint(-600, 600, 1e20), _mint(-60, 60, 1e20));
            _rebalance(order);
        }
        _moveTo(int24(int256(tick) % 887_271));
        if (blind) vm.mockCallRevert(address(pool), abi.encodeWithSelector(IPool.observe.selector), "OLD");
        vm.prank(GUARDIAN);
        if (paused) vault.pause();
        _leave();
    }

    function test_the_owner_leaves_at_either_end_of_the_prices() public {
        int24[2] memory ends = [int24(-887_272), 887_271];
        for (uint256 i = 0; i < 2; i++) {
            uint256 before = vm.snapshotState();
            _open(-600, 600, 1e21);
            _moveTo(ends[i]);
            _leave();
            vm.revertToState(before);
        }
    }

    /// @dev Not a unit less than the positions hold at the pool's price.
    function _leave() private {
        (uint160 price,,,,,,) = pool.slot0();
        (uint256 amount0, uint256 amount1) = _amountsAt(price);
        vm.prank(OWNER);
        vault.exit(STRANGER, true, true);
        _atMost(amount0, token0.balanceOf(STRANGER));
        _atMost(amount1, token1.balanceOf(STRANGER));
        _equal(token0.balanceOf(address(vault)), 0);
        _equal(token1.balanceOf(address(vault)), 0);
        _equal(vault.ranges().length, 0);
        _equal(_liquidity(-600, 600) + _liquidity(-60, 60), 0);
    }

    // --- re-entry ---

    function test_nothing_is_entered_twice() public {
        (Curious curious, IVault.Rebalance memory order) = _curious();
        bytes[4] memory calls = [
            abi.encodeCall(vault.rebalance, (0, order, block.timestamp)),
            abi.encodeCall(vault.withdraw, (address(token1), 1, STRANGER)),
            abi.encodeCall(vault.exit, (STRANGER, true, true)),
            abi.encodeCall(vault.collectFees, ())
        ];
        bytes memory rebalance = calls[0];
        for (uint256 i = 0; i < calls.length; i++) {
            curious.remember(address(vault), calls[i]);
            uint256 before = vm.snapshotState();
            require(curious.act(address(vault), rebalance), "the outer call failed");
            require(bytes4(curious.answer()) == IVault.Reentered.selector, "entered twice");
            vm.revertToState(before);
        }
    }

    function test_nothing_is_entered_from_within_anything() public {
        (Curious curious, IVault.Rebalance memory order) = _curious();
        require(curious.act(address(vault), abi.encodeCall(vault.rebalance, (0, order, block.timestamp))), "it failed");
        for (uint256 i = 0; i < 2; i++) market.swap(pool, i == 0, 1e18);
        bytes[3] memory calls = [
            abi.encodeCall(vault.withdraw, (address(curious), 1, STRANGER)),
            abi.encodeCall(vault.exit, (STRANGER, true, true)),
            abi.encodeCall(vault.collectFees, ())
        ];
        curious.remember(address(vault), abi.encodeCall(vault.withdraw, (address(token1), 1, STRANGER)));
        for (uint256 i = 0; i < calls.length; i++) {
            uint256 before = vm.snapshotState();
            require(curious.act(address(vault), calls[i]), "the outer call failed");
            require(bytes4(curious.answer()) == IVault.Reentered.selector, "entered twice");
            vm.revertToState(before);
        }
    }

    function test_a_call_has_used_its_number_when_the_first_token_moves() public {
        (Curious curious, IVault.Rebalance memory order) = _curious();
        curious.remember(address(vault), abi.encodeCall(vault.state, ()));
        require(curious.act(address(vault), abi.encodeCall(vault.rebalance, (0, order, block.timestamp))), "it failed");
        (uint64 seq,,,,) = abi.decode(curious.answer(), (uint64, uint64, uint40, int24, bool));
        _equal(seq, 1);
    }

    /// @dev A vault of a token that calls its owner and operator, and a first order for it.
    function _curious() private returns (Curious curious, IVault.Rebalance memory order) {
        curious = new Curious();
        curious.mint(address(market), 1e60);
        pool = _poolWith(address(curious));
        vault = new LiquidityVault(factory, pool, address(curious), address(curious), GUARDIAN, _bounds());
        curious.mint(address(vault), FUNDS);
        token1.mint(address(vault), FUNDS);
        order.mints = _mints(_mint(-60, 60, 1e20));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Held} from "../src/vault/Held.sol";
import {IVault} from "../src/vault/IVault.sol";
import {Oracle} from "../src/vault/Oracle.sol";
import {Worth} from "../src/vault/Worth.sol";
import {Campaign} from "./Campaign.sol";
import {vm} from "./Vm.sol";

/// @notice Every external function, called by anybody with anything.
contract AnythingTest is Campaign {
    using Held for uint256;

    uint256 private constant ALL = type(uint256).max;

    // --- what is the owner's ---

    function test_nobody_else_withdraws(address caller, address token, uint256 amount, address to) public {
        vm.assume(caller != OWNER);
        _refused(caller, abi.encodeCall(vault.withdraw, (token, amount, to)), IVault.NotOwner.selector);
    }

    function test_the_owner_withdraws_any_part(uint256 amount, address to, bool zero) public {
        vm.assume(to != address(0) && to != address(vault));
        if (amount % 2 == 0) amount %= FUNDS + 2;
        address token = address(zero ? token0 : token1);
        uint256 had = _balance(token, to);
        bytes memory call = abi.encodeCall(vault.withdraw, (token, amount, to));
        if (amount > FUNDS && amount != ALL) return _refused(OWNER, call, IVault.TransferFailed.selector);
        _accepted(OWNER, call);
        _equal(_balance(token, to) - had, amount == ALL ? FUNDS : amount);
    }

    function test_nobody_else_exits(address caller, address to, bool want0, bool want1) public {
        vm.assume(caller != OWNER);
        _refused(caller, abi.encodeCall(vault.exit, (to, want0, want1)), IVault.NotOwner.selector);
    }

    function test_an_exit_brings_what_was_wanted_and_leaves_the_rest(address to, bool want0, bool want1) public {
        vm.assume(to != address(0) && to != address(vault) && to != address(pool) && to != address(market));
        _open(-600, 600, 1e21);
        _accepted(OWNER, abi.encodeCall(vault.exit, (to, want0, want1)));
        _atMost(want0 ? FUNDS - 1 : 0, token0.balanceOf(to));
        _atMost(want1 ? FUNDS - 1 : 0, token1.balanceOf(to));
        _equal(vault.ranges().length, want0 && want1 ? 0 : 1);
        _accepted(OWNER, abi.encodeCall(vault.exit, (to, true, true)));
        _atMost(FUNDS - 1, token0.balanceOf(to));
        _atMost(FUNDS - 1, token1.balanceOf(to));
    }

    function test_nobody_else_names_owner_operator_or_guardian_or_ends_a_pause(address caller, address named) public {
        vm.assume(caller != OWNER);
        _refused(caller, abi.encodeCall(vault.proposeOwner, (named)), IVault.NotOwner.selector);
        _refused(caller, abi.encodeCall(vault.setOperator, (named)), IVault.NotOwner.selector);
        _refused(caller, abi.encodeCall(vault.setGuardian, (named)), IVault.NotOwner.selector);
        _refused(caller, abi.encodeCall(vault.unpause, ()), IVault.NotOwner.selector);
    }

    function test_the_owner_names_anybody(address operator, address guardian) public {
        _accepted(OWNER, abi.encodeCall(vault.setOperator, (operator)));
        _accepted(OWNER, abi.encodeCall(vault.setGuardian, (guardian)));
        _equal(vault.operator(), operator);
        _equal(vault.guardian(), guardian);
    }

    function test_who_is_proposed_becomes_owner_and_nobody_else(address named, address caller) public {
        vm.assume(named != caller && named != address(0));
        _accepted(OWNER, abi.encodeCall(vault.proposeOwner, (named)));
        _refused(caller, abi.encodeCall(vault.acceptOwner, ()), IVault.NotPendingOwner.selector);
        _equal(vault.owner(), OWNER);
        _accepted(named, abi.encodeCall(vault.acceptOwner, ()));
        _equal(vault.owner(), named);
        _equal(vault.pendingOwner(), address(0));
    }

    function test_bounds_are_set_if_none_is_looser_than_its_constant(IVault.Bounds memory found, uint8 kept) public {
        IVault.Bounds memory strict = _bounds();
        if (kept & 1 != 0) found.twapWindow = strict.twapWindow;
        if (kept & 2 != 0) found.cooldown = strict.cooldown;
        if (kept & 4 != 0) found.maxDeviation = found.maxDeviation % 202;
        if (kept & 8 != 0) found.maxLossPerDay = found.maxLossPerDay % 50_002;
        if (kept & 16 != 0) found.maxLossPerCall = found.maxLossPerCall % 50_002;
        bool sound = found.twapWindow >= 60 && found.cooldown >= 60 && found.maxDeviation <= 200
            && found.maxLossPerDay <= 50_000 && found.maxLossPerCall <= found.maxLossPerDay;
        bytes memory call = abi.encodeCall(vault.setBounds, (found));
        _refused(OPERATOR, call, IVault.NotOwner.selector);
        if (!sound) return _refused(OWNER, call, IVault.BoundsTooLoose.selector);
        _accepted(OWNER, call);
        _equal(vault.budgetLeft(), uint256(found.maxLossPerDay) * 1e12 / 2);
    }

    // --- what is the guardian's and the operator's ---

    function test_guardian_and_owner_alone_pause(address caller) public {
        bytes memory call = abi.encodeCall(vault.pause, ());
        if (caller == GUARDIAN || caller == OWNER) return _accepted(caller, call);
        _refused(caller, call, IVault.NotGuardian.selector);
        require(!vault.paused(), "paused");
    }

    function test_fees_are_taken_to_the_vault_by_operator_and_owner_alone(address caller, uint64 traded) public {
        vm.assume(caller != OPERATOR && caller != OWNER);
        _open(-600, 600, 1e21);
        market.swap(pool, true, uint256(traded) + 1e6);
        (uint256 before0, uint256 before1) = (token0.balanceOf(address(vault)), token1.balanceOf(address(vault)));
        bytes memory call = abi.encodeCall(vault.collectFees, ());
        _refused(caller, call, IVault.NotOperator.selector);
        _accepted(OPERATOR, call);
        _atMost(before0 + 1, token0.balanceOf(address(vault)));
        _equal(token1.balanceOf(address(vault)), before1);
    }

    function test_nobody_else_rebalances(address caller, uint256 seed) public {
        vm.assume(caller != OPERATOR && caller != OWNER);
        _random = seed;
        bytes memory call = abi.encodeCall(vault.rebalance, (_seq(), _anything(), ALL));
        _refused(caller, call, IVault.NotOperator.selector);
    }

    /// @dev Numbers without any sense. Whatever is refused leaves all as it was.
    function test_an_order_without_sense_is_refused_or_within_the_bounds(
        IVault.Swap memory swap,
        IVault.Mint memory mint,
        uint256[3] memory first,
        uint8 empty
    ) public {
        IVault.Rebalance memory order;
        (order.keep, order.burn0Min, order.burn1Min) = (first[0], first[1], first[2]);
        (order.swap, order.mints) = (swap, _mints(mint));
        if (empty & 1 != 0) order.keep = 0;
        if (empty & 2 != 0) (order.burn0Min, order.burn1Min) = (0, 0);
        if (empty & 4 != 0) order.swap.amountIn = 0;
        if (empty & 8 != 0) order.mints = new IVault.Mint[](0);
        _keepsToTheBounds(order);
    }

    /// @dev Orders as they could be meant, each of whose numbers may be a hostile one.
    function test_a_hostile_order_is_refused_or_within_the_bounds(uint256 seed) public {
        _random = seed;
        _settle(int24(int256(_draw(400))) - 200);
        _try(_anything());
        _wait(_draw(2000));
        _moveTo(_tick() + int24(int256(_draw(220))) - 110);
        IVault.Rebalance memory order = _anything();
        if (_draw(4) == 0) order.keep = _draw(32);
        if (_draw(4) == 0) (order.burn0Min, order.burn1Min) = (_draw(2), _draw(2));
        if (_draw(4) == 0) order.swap.sqrtPriceLimitX96 = uint160(_draw(1 << 160));
        if (_draw(4) == 0) order.swap.minOut = _draw(1e20);
        if (_draw(4) == 0 && order.mints.length != 0) order.mints[0].tickUpper = int24(int256(_draw(1 << 24) - 1 << 23));
        if (_draw(4) == 0 && order.mints.length != 0) order.mints[0].amount0Min = _draw(1 << _draw(100));
        _keepsToTheBounds(order);
    }

    function _keepsToTheBounds(IVault.Rebalance memory order) private {
        uint64 seq = _seq();
        bytes32 before = _everything();
        uint256 left = vault.budgetLeft();
        vm.prank(OPERATOR);
        (bool done, bytes memory reason) =
            address(vault).call(abi.encodeCall(vault.rebalance, (seq, order, block.timestamp)));
        if (!done) {
            require(reason.length != 0 || order.mints.length != 0, "refused without a reason");
            require(_everything() == before, "something was left behind");
            return;
        }
        _equal(_seq(), seq + 1);
        _atMost(left - vault.budgetLeft(), uint256(_bounds().maxLossPerCall) * 1e12);
        (int24 average,) = Oracle.ticks(pool, _bounds().twapWindow);
        _atMost(_apart(average, _tick()), _bounds().maxDeviation);
        int24[2][] memory held = vault.ranges();
        _atMost(held.length, 4);
        for (uint256 i = 0; i < held.length; i++) {
            _atMost(_bounds().minWidth, _apart(held[i][0], held[i][1]));
            require(held[i][0] < held[i][1] && held[i][0] % 10 == 0 && held[i][1] % 10 == 0, "no range of the pool");
            require(_liquidity(held[i][0], held[i][1]) != 0, "a range of nothing");
        }
    }

    function test_a_wrong_sequence_number_or_a_late_call_does_nothing(uint64 seq, uint256 deadline, uint256 seed) public {
        vm.assume(seq != 0 || deadline < block.timestamp);
        _random = seed;
        bytes4 reason = seq != 0 ? IVault.WrongSeq.selector : IVault.TooLate.selector;
        _refused(OPERATOR, abi.encodeCall(vault.rebalance, (seq, _anything(), deadline)), reason);
    }

    function test_the_pools_callbacks_pay_nobody(address caller, uint256 amount0, uint256 amount1) public {
        bytes4 reason = caller == address(pool) ? IVault.NotInFlight.selector : IVault.NotPool.selector;
        _refused(caller, abi.encodeCall(vault.uniswapV3MintCallback, (amount0, amount1, "")), reason);
        bytes memory swap = abi.encodeCall(vault.uniswapV3SwapCallback, (int256(amount0), int256(amount1), ""));
        _refused(caller, swap, reason);
        _refused(address(pool), swap, IVault.NotInFlight.selector);
    }

    function test_coin_is_not_taken_and_there_is_no_other_function(bytes32 data) public {
        (bool done,) = address(vault).call{value: 1}("");
        require(!done, "coin was taken");
        (done,) = address(vault).call{value: 1}(abi.encodeCall(vault.collectFees, ()));
        require(!done, "coin was taken");
        (done,) = address(vault).call(abi.encodePacked(bytes4(0), data));
        require(!done, "there is a fallback");
    }

    // --- what anybody may see ---

    function test_a_list_gives_back_what_was_put_in(int24[5] memory lower, uint24[5] memory width) public pure {
        uint256 held;
        uint256 count;
        for (uint256 i = 0; i < 5; i++) {
            int24 from = lower[i] % 800_000;
            uint256 range = Held.range(from, from + int24(width[i] % 80_000 + 1));
            bool known = false;
            for (uint256 j = 0; j < count; j++) if (held.at(j) == range) known = true;
            (uint256 longer, bool room) = held.add(range);
            require(room == (known || count < 4), "room or none");
            if (room && !known) require(longer.at(count++) == range, "not at the end");
            else require(longer == held, "it grew");
            held = longer;
            require(held.count() == count, "another count");
            (int24 tickLower, int24 tickUpper) = range.ticks();
            require(tickLower == from && tickUpper > from, "other ticks");
        }
    }

    function test_worth_is_rounded_as_asked() public pure {
        uint160 price = 3 << 63; // 1.5 times 2**64
        _equal(Worth.value(1, 1, price, true), 2 + 12297829382473034411);
        _equal(Worth.value(1, 1, price, false), 1 + 12297829382473034410);
    }

    function test_a_loss_is_the_part_that_is_missing_rounded_up() public pure {
        _equal(Worth.lossUp(3, 1), 666666666666666667);
        _equal(Worth.lossUp(1, 2), 0);
        _equal(Worth.lossUp(0, 0), 0);
    }

    function test_the_budget_comes_back_evenly_within_a_day(uint256 seed, uint32 first, uint32 second) public {
        _random = seed;
        _settle(0);
        _tryAnything();
        uint256 left = vault.budgetLeft();
        _wait(first);
        uint256 later = vault.budgetLeft();
        uint256 most = 5e15;
        _equal(later, left + uint256(first) * most / 1 days > most ? most : left + uint256(first) * most / 1 days);
        _wait(second);
        _atMost(later, vault.budgetLeft());
        _atMost(vault.budgetLeft(), most);
    }

    // --- helpers ---

    function _accepted(address caller, bytes memory call) private {
        vm.prank(caller);
        (bool done,) = address(vault).call(call);
        require(done, "refused");
    }

    function _refused(address caller, bytes memory call, bytes4 selector) private {
        bytes32 before = _everything();
        vm.prank(caller);
        (bool done, bytes memory reason) = address(vault).call(call);
        require(!done, "it was let through");
        require(bytes4(reason) == selector, "another reason");
        require(_everything() == before, "something was left behind");
    }

    /// @dev All that the vault has and knows.
    function _everything() private view returns (bytes32) {
        (uint160 price,,,,,,) = pool.slot0();
        (uint256 amount0, uint256 amount1) = _amountsAt(price);
        (uint64 seq, uint64 used, uint40 at, int24 centre, bool centred) = vault.state();
        return keccak256(
            abi.encode(price, amount0, amount1, seq, used, at, centre, centred, vault.ranges(), vault.paused())
        );
    }

    function _balance(address token, address of_) private view returns (uint256) {
        return token == address(token0) ? token0.balanceOf(of_) : token1.balanceOf(of_);
    }

    function _apart(int24 a, int24 b) private pure returns (uint256) {
        return uint256(int256(a > b ? a - b : b - a));
    }
}

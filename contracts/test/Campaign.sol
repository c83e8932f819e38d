// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";

import {IVault} from "../src/vault/IVault.sol";
import {Bench} from "./Bench.sol";
import {vm} from "./Vm.sol";

/// @notice Random orders of an operator who means harm.
abstract contract Campaign is Bench {
    struct Loss {
        uint256 at;
        uint256 part;
    }

    uint256 internal _random;
    Loss[] private _losses;

    /// @dev Up to four random orders; true at the first that is let through.
    function _tryAnything() internal returns (bool) {
        for (uint256 i = 0; i < 4; i++) if (_try(_anything())) return true;
        return false;
    }

    function _anything() internal returns (IVault.Rebalance memory order) {
        order.keep = _draw(3) == 0 ? (1 << vault.ranges().length) - 1 : 0;
        if (_draw(2) == 0) {
            bool down = _draw(2) == 0;
            int24 to = int24(int256(_draw(99))) + 1;
            uint160 limit = TickMath.getSqrtPriceAtTick(down ? _tick() - to : _tick() + to);
            order.swap = IVault.Swap(down, uint128(_draw(60e18)), limit, 1);
        }
        if (_draw(4) != 0) {
            int24 middle = (_tick() / 10 + int24(int256(_draw(40))) - 20) * 10;
            int24 half = (int24(int256(_draw(20))) + 3) * 10;
            order.mints = _mints(_someMint(middle - half, middle + half));
        }
    }

    /// @dev Of all that is held, or of any part of it.
    function _someMint(int24 tickLower, int24 tickUpper) private returns (IVault.Mint memory mint) {
        mint = _mintAll(tickLower, tickUpper);
        if (_draw(2) == 0) (mint.amount0Desired, mint.amount1Desired) = (_draw(2 * FUNDS), _draw(2 * FUNDS));
    }

    /// @dev A position may hold one token alone, and a minimum of one unit of either is enough.
    function _try(IVault.Rebalance memory order) internal returns (bool done) {
        if (order.keep != 0 || vault.ranges().length == 0) return _send(order);
        order.burn0Min = 1;
        done = _send(order);
        if (done) return true;
        (order.burn0Min, order.burn1Min) = (0, 1);
        return _send(order);
    }

    /// @dev What was spent of the budget counts towards the 24 hours before; they are never above the whole.
    function _send(IVault.Rebalance memory order) private returns (bool done) {
        uint256 left = vault.budgetLeft();
        bytes memory data = abi.encodeCall(vault.rebalance, (_seq(), order, type(uint256).max));
        vm.prank(OPERATOR);
        (done,) = address(vault).call(data);
        if (!done) return false;
        uint256 spent = left - vault.budgetLeft();
        _atMost(spent, uint256(_bounds().maxLossPerCall) * 1e12);
        _losses.push(Loss(_now(), spent));
        uint256 day = 0;
        for (uint256 i = _losses.length; i > 0 && _losses[i - 1].at + 1 days >= _now(); i--) day += _losses[i - 1].part;
        _atMost(day, uint256(_bounds().maxLossPerDay) * 1e12);
    }

    function _draw(uint256 below) internal returns (uint256) {
        _random = uint256(keccak256(abi.encode(_random)));
        return _random % below;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVault} from "./IVault.sol";

/// @notice How much may be lost, in parts of 1e18 of the vault's worth.
/// @dev Half of a day's losses stands ready, and as much comes back evenly within a day. So no 24 hours,
/// wherever they begin, see more than the whole.
library Budget {
    uint256 private constant WAD_PER_PIP = 1e12;

    /// @return What may be lost now.
    function left(IVault.State memory was, IVault.Bounds memory limits) internal view returns (uint256) {
        uint256 most = _most(limits);
        uint256 back = (block.timestamp - was.rebalancedAt) * most / 1 days;
        uint256 spent = was.used > back ? was.used - back : 0;
        return most > spent ? most - spent : 0;
    }

    /// @return What is left after a loss, which is refused where it is too large.
    function spend(uint256 loss, IVault.State memory was, IVault.Bounds memory limits)
        internal
        view
        returns (uint256)
    {
        uint256 ready = left(was, limits);
        if (loss > limits.maxLossPerCall * WAD_PER_PIP) revert IVault.LossPerCall(loss);
        if (loss > ready) revert IVault.LossPerDay(loss, ready);
        return ready - loss;
    }

    /// @return What is used where so much is left, for `State.used`.
    function used(uint256 ready, IVault.Bounds memory limits) internal pure returns (uint64) {
        return uint64(_most(limits) - ready);
    }

    function _most(IVault.Bounds memory limits) private pure returns (uint256) {
        return limits.maxLossPerDay * WAD_PER_PIP / 2;
    }
}

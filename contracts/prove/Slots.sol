// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Any} from "./Any.sol";
import {hevm} from "./Cheats.sol";

/// @notice Where the vault of the proof keeps what.
library Slots {
    bytes32 internal constant STAGE = bytes32(uint256(4));
    bytes32 internal constant BOUNDS = bytes32(uint256(5));
    bytes32 private constant STATE = bytes32(uint256(6));
    bytes32 private constant HELD = bytes32(uint256(7));

    // more than there are
    uint256 private constant ALL = 16;

    /// @dev What the constructor wrote would else stay.
    function setAll(address vault, uint256 ranges) internal {
        for (uint256 i = 0; i < ALL; i++) hevm.store(vault, bytes32(i), bytes32(Any.number(256)));
        change(vault, ranges);
    }

    /// @dev As if calls in the midst of another had changed them. Roles and bounds are left, so that it is seen
    /// whether the vault changes them itself; a rebalance has read them before. A range may be none, which
    /// ends the list.
    function change(address vault, uint256 ranges) internal {
        hevm.store(vault, STATE, bytes32(Any.number(256)));
        hevm.store(vault, HELD, bytes32(Any.number(48 * ranges)));
    }
}

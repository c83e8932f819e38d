// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Any} from "./Any.sol";
import {Slots} from "./Slots.sol";

/// @notice Remembers whether the vault did what it must not.
contract Witness {
    bool public broken;

    function tell() external {
        broken = true;
    }
}

/// @notice An account that the vault has no business with. What it understands besides is what the vault may do.
contract Bystander {
    Witness internal immutable witness;

    constructor(Witness witness_) {
        witness = witness_;
    }

    fallback() external payable {
        witness.tell();
    }
}

/// @notice A token that is sent to the pool and nowhere else. It has any balance, and delivers or does not.
contract WatchedToken is Bystander {
    address private _pool;

    constructor(Witness witness_) Bystander(witness_) {}

    function pay(address pool) external {
        _pool = pool;
    }

    function balanceOf(address) external view returns (uint256) {
        return Any.number(256);
    }

    function transfer(address to, uint256) external returns (bool) {
        if (to != _pool) witness.tell();
        return Any.number(1) != 0;
    }
}

/// @notice A pool that answers anything, and in the midst of whose calls anybody may do anything.
/// @dev It calls nobody itself: who calls the vault in the midst, as the pool does when it asks for tokens, makes a
/// call as any other, from any state and in any stage, and each such call is proved to keep custody. What is left
/// of it is that the vault's storage is another when the pool has answered.
contract AnyPool is Bystander {
    address public immutable token0;
    address public immutable token1;
    uint24 public constant fee = 500;
    int24 public constant tickSpacing = 10;
    uint256 private _ranges;

    constructor(Witness witness_, WatchedToken a, WatchedToken b) Bystander(witness_) {
        (token0, token1) = (address(a), address(b));
    }

    /// @dev In place of the factory.
    function getPool(address, address, uint24) external view returns (address) {
        return address(this);
    }

    /// @param ranges That the vault holds, at most.
    function open(uint256 ranges) external {
        _ranges = ranges;
    }

    function mint(address recipient, int24, int24, uint128, bytes calldata) external returns (uint256, uint256) {
        _inTheMidst(recipient);
        return (Any.number(256), Any.number(256));
    }

    function burn(int24, int24, uint128) external returns (uint256, uint256) {
        _inTheMidst(msg.sender);
        return (Any.number(256), Any.number(256));
    }

    function collect(address recipient, int24, int24, uint128, uint128) external returns (uint128, uint128) {
        _inTheMidst(recipient);
        return (uint128(Any.number(128)), uint128(Any.number(128)));
    }

    function swap(address recipient, bool, int256, uint160, bytes calldata) external returns (int256, int256) {
        _inTheMidst(recipient);
        return (int256(Any.number(256)), int256(Any.number(256)));
    }

    /// @dev What a position or a swap brings is the vault's.
    function _inTheMidst(address recipient) private {
        if (recipient != msg.sender) witness.tell();
        Slots.change(msg.sender, _ranges);
    }
}

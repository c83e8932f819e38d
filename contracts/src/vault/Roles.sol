// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVault} from "./IVault.sol";

/// @notice Who may do what: the owner everything, the operator what is within the bounds, the guardian a pause.
abstract contract Roles is IVault {
    address public owner;
    address public pendingOwner;
    address public operator;
    bool public paused;
    address public guardian;

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner();
        _;
    }

    /// @dev The owner may do what the operator may; a pause stops both.
    modifier onlyOperator() {
        if (msg.sender != operator && msg.sender != owner) revert NotOperator();
        if (paused) revert IsPaused();
        _;
    }

    /// @param operator_ Zero: none, as with the guardian.
    constructor(address owner_, address operator_, address guardian_) {
        if (owner_ == address(0)) revert ZeroAddress();
        _setOwner(owner_);
        _setOperator(operator_);
        _setGuardian(guardian_);
    }

    /// @notice The first of two steps. Zero takes a proposal back.
    function proposeOwner(address owner_) external onlyOwner {
        pendingOwner = owner_;
        emit OwnerProposed(owner_);
    }

    function acceptOwner() external {
        if (msg.sender != pendingOwner) revert NotPendingOwner();
        pendingOwner = address(0);
        _setOwner(msg.sender);
    }

    function setOperator(address operator_) external onlyOwner {
        _setOperator(operator_);
    }

    function setGuardian(address guardian_) external onlyOwner {
        _setGuardian(guardian_);
    }

    function pause() external {
        if (msg.sender != guardian && msg.sender != owner) revert NotGuardian();
        paused = true;
        emit Paused(msg.sender);
    }

    function unpause() external onlyOwner {
        paused = false;
        emit Unpaused();
    }

    function _setOwner(address owner_) private {
        owner = owner_;
        emit OwnerSet(owner_);
    }

    function _setOperator(address operator_) private {
        operator = operator_;
        emit OperatorSet(operator_);
    }

    function _setGuardian(address guardian_) private {
        guardian = guardian_;
        emit GuardianSet(guardian_);
    }
}

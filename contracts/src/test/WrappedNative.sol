// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Erc20} from "./Erc20.sol";

/// @notice The native coin as an ERC-20, one to one, with the functions the periphery expects.
contract WrappedNative is Erc20 {
    event Deposit(address indexed to, uint256 value);
    event Withdrawal(address indexed from, uint256 value);

    error NativeTransferFailed(address to, uint256 value);

    constructor() Erc20("Wrapped Ether", "WETH", 18) {}

    receive() external payable {
        deposit();
    }

    function totalSupply() external view override returns (uint256) {
        return address(this).balance;
    }

    function deposit() public payable {
        balanceOf[msg.sender] += msg.value;
        emit Deposit(msg.sender, msg.value);
    }

    function withdraw(uint256 value) external {
        _take(msg.sender, value);
        emit Withdrawal(msg.sender, value);
        (bool sent,) = msg.sender.call{value: value}("");
        if (!sent) revert NativeTransferFailed(msg.sender, value);
    }
}

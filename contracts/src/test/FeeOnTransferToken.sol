// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Erc20} from "./Erc20.sol";

/// @notice A token that keeps a share of each transfer whose sender or recipient is taxed.
/// @dev Some real tokens tax only one direction, so the tax can be set for either.
contract FeeOnTransferToken is Erc20 {
    uint256 public override totalSupply;
    uint256 public immutable feePips;
    address public taxedSender;
    address public taxedRecipient;

    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 feePips_)
        Erc20(name_, symbol_, decimals_)
    {
        feePips = feePips_;
    }

    function mint(address to, uint256 value) external {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function tax(address sender, address recipient) external {
        taxedSender = sender;
        taxedRecipient = recipient;
    }

    function _move(address from, address to, uint256 value) internal override {
        bool taxed = from == taxedSender || to == taxedRecipient;
        uint256 fee = taxed ? value * feePips / 1_000_000 : 0;
        _take(from, value);
        totalSupply -= fee;
        balanceOf[to] += value - fee;
        emit Transfer(from, to, value - fee);
    }
}

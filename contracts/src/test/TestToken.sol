// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Erc20} from "./Erc20.sol";

/// @notice A devnet token. Warning: anyone may mint it.
contract TestToken is Erc20 {
    uint256 public override totalSupply;

    constructor(string memory name_, string memory symbol_, uint8 decimals_)
        Erc20(name_, symbol_, decimals_)
    {}

    function mint(address to, uint256 value) external {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }
}

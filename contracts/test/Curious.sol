// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Erc20} from "../src/test/Erc20.sol";

/// @notice A token that calls somebody at each of its transfers, and remembers the answer.
contract Curious is Erc20 {
    uint256 public override totalSupply;
    address private _whom;
    bytes private _what;
    bytes public answer;

    constructor() Erc20("Curious", "HOOK", 18) {}

    function mint(address to, uint256 value) external {
        totalSupply += value;
        balanceOf[to] += value;
    }

    function remember(address whom, bytes calldata what) external {
        (_whom, _what) = (whom, what);
    }

    function act(address whom, bytes calldata what) external returns (bool done) {
        (done,) = whom.call(what);
    }

    function _move(address from, address to, uint256 value) internal override {
        if (_whom != address(0)) (, answer) = _whom.call(_what);
        _take(from, value);
        balanceOf[to] += value;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice The one of halmos' own cheat codes that the proof uses.
interface Svm {
    function createCalldata(string calldata contractName, bool andViews) external view returns (bytes memory);
}

/// @notice And of those it shares with forge. A random number is any number to halmos.
interface Hevm {
    function assume(bool condition) external pure;
    function deal(address account, uint256 balance) external;
    function load(address account, bytes32 slot) external view returns (bytes32);
    function store(address account, bytes32 slot, bytes32 value) external;
    function prank(address sender, address origin) external;
    function randomUint(uint256 bits) external view returns (uint256);
    function warp(uint256 time) external;
}

Svm constant svm = Svm(address(uint160(uint256(keccak256("svm cheat code")))));
Hevm constant hevm = Hevm(address(uint160(uint256(keccak256("hevm cheat code")))));

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Borrower} from "../TokenProbe.sol";
import {IToken} from "./IUniswapV3.sol";

/// @notice Refuses tokens that do not say true or do not deliver what is sent, out of the pool and back.
/// @dev A loan of either token is taken from the pool, measured, and undone.
/// Warning: balances that change by themselves and fees that begin later are not seen.
library TokenTest {
    error TokenRefused(address token);
    error TokenUntestable(address token);

    /// @dev Less than this is not lent: a fee of one in ten thousand could vanish in rounding.
    uint256 private constant LEAST = 10_000;

    function check(address pool, address token0, address token1) internal {
        Borrower borrower = new Borrower();
        _check(borrower, pool, token0, true);
        _check(borrower, pool, token1, false);
    }

    // slither-disable-next-line reentrancy-balance -- only the size of the loan is taken from the balance
    function _check(Borrower borrower, address pool, address token, bool isToken0) private {
        (bool done, bytes memory data) = token.call(abi.encodeCall(IToken.transfer, (address(this), 0)));
        if (!done || data.length != 32 || bytes32(data) != bytes32(uint256(1))) revert TokenRefused(token);
        uint256 held = IToken(token).balanceOf(pool);
        uint256 amount = held / 16 < LEAST ? held : held / 16;
        if (amount < LEAST) revert TokenUntestable(token);
        // slither-disable-next-line uninitialized-local -- empty where nothing was measured
        bytes memory reason;
        try borrower.borrow(pool, token, amount, isToken0) {}
        catch (bytes memory found) {
            reason = found;
        }
        if (bytes4(reason) != Borrower.Measured.selector) revert TokenUntestable(token);
        bytes memory expected = abi.encodeWithSelector(Borrower.Measured.selector, amount, amount, amount, amount);
        if (keccak256(reason) != keccak256(expected)) revert TokenRefused(token);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface IFlashPool {
    function flash(address recipient, uint256 amount0, uint256 amount1, bytes calldata data) external;
}

interface IBalance {
    function balanceOf(address owner) external view returns (uint256);
}

/// @notice Finds out, by one `eth_call` that creates it and deploys nothing, whether a pool's tokens
/// deliver exactly what is sent, out of the pool and back into it.
/// @dev Where a constructor would return code it returns, for each token, `(bool tried, bytes data)`:
/// not tried where the pool holds too little of the token to lend; else the revert data of the loan,
/// which is `Borrower.Measured` unless the pool or the token refused.
/// Warning: balances that change by themselves (rebasing) and fees that depend on who sends are
/// not seen.
contract TokenProbe {
    constructor(address pool, address token0, address token1) {
        Borrower borrower = new Borrower();
        (bool tried0, bytes memory data0) = _probe(borrower, pool, token0, true);
        (bool tried1, bytes memory data1) = _probe(borrower, pool, token1, false);
        bytes memory findings = abi.encode(tried0, data0, tried1, data1);
        assembly ("memory-safe") {
            return(add(findings, 32), mload(findings))
        }
    }

    function _probe(Borrower borrower, address pool, address token, bool isToken0)
        private
        returns (bool tried, bytes memory data)
    {
        uint256 amount = _lendable(IBalance(token).balanceOf(pool));
        // slither-disable-next-line incorrect-equality -- that `_lendable` says so is what is asked
        if (amount == 0) return (false, "");
        try borrower.borrow(pool, token, amount, isToken0) {
            return (true, "");
        } catch (bytes memory reason) {
            return (true, reason);
        }
    }

    /// @dev A sixteenth of what the pool holds, or all of it where that is little. Below 10,000 raw
    /// units a fee of one in ten thousand could vanish in rounding, so then nothing.
    function _lendable(uint256 held) private pure returns (uint256) {
        uint256 part = held / 16;
        if (part >= 10_000) return part;
        return held >= 10_000 ? held : 0;
    }
}

/// @notice Takes one flash loan, sends what came straight back, and reverts with what it measured.
contract Borrower {
    error Measured(uint256 sent, uint256 received, uint256 returned, uint256 arrived);
    error TransferFailed();

    address private _token;
    uint256 private _sent;

    function borrow(address pool, address token, uint256 amount, bool isToken0) external {
        _token = token;
        _sent = amount;
        IFlashPool(pool).flash(address(this), isToken0 ? amount : 0, isToken0 ? 0 : amount, "");
    }

    /// @dev The pool's callback, whatever its venue calls it. Reverting undoes the loan.
    fallback() external {
        IBalance token = IBalance(_token);
        uint256 received = token.balanceOf(address(this));
        uint256 before = token.balanceOf(msg.sender);
        _transfer(address(token), msg.sender, received);
        uint256 arrived = token.balanceOf(msg.sender) - before;
        revert Measured(_sent, received, received - token.balanceOf(address(this)), arrived);
    }

    /// @dev A token may return nothing, or true; false and a revert are failures.
    function _transfer(address token, address to, uint256 amount) private {
        (bool done, bytes memory data) =
            token.call(abi.encodeWithSignature("transfer(address,uint256)", to, amount));
        if (!done || (data.length != 0 && !abi.decode(data, (bool)))) revert TransferFailed();
    }
}

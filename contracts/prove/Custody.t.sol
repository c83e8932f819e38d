// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LiquidityVault} from "../src/LiquidityVault.sol";
import {IFactory, IPool} from "../src/vault/IUniswapV3.sol";
import {IVault} from "../src/vault/IVault.sol";
import {Any} from "./Any.sol";
import {hevm, svm} from "./Cheats.sol";
import {Slots} from "./Slots.sol";
import {AnyPool, Bystander, WatchedToken, Witness} from "./StandIns.sol";

/// @notice What the owner decides.
struct Decided {
    address owner;
    address pendingOwner;
    address operator;
    address guardian;
    bool paused;
    bytes32 bounds;
}

/// @notice Proved by halmos, of the vault in any state: whoever but the owner calls it, whatever he calls and with
/// whatever arguments, the vault sends tokens to the pool and to nobody else, gives nobody an allowance, has the pool
/// give nothing to another than itself, sends no ether, and leaves as it is what the owner decides.
/// @dev What this rests on, besides halmos and the compiler:
/// - prove.js puts any answer in place of whatever the vault computes or looks up: `view` and `pure` functions, all but
///   `_checkCallback` and the list `Held`. They can neither send nor write, so this takes nothing away.
/// - A call made in the midst of another, by the pool that asks for tokens or by anybody, is proved as any other:
///   the stage, transient in the vault, is in storage here and may be any to begin with. See `AnyPool`.
/// - A rebalance of one range held at most and one mint at most: further ones, which go through the same lines, are not
///   proved. Any other call with four ranges held, which is the most there are; each call without ether.
/// - Nothing is proved of the constructor, nor of the pool and its tokens: `TokenTest` and the owner look at these.
contract CustodyTest {
    Witness private witness = new Witness();
    WatchedToken private token0 = new WatchedToken(witness);
    WatchedToken private token1 = new WatchedToken(witness);
    AnyPool private pool = new AnyPool(witness, token0, token1);
    LiquidityVault private vault;

    function setUp() public {
        new Bystander(witness); // may be any address that the vault is handed
        token0.pay(address(pool));
        token1.pay(address(pool));
        IVault.Bounds memory bounds = IVault.Bounds(300, 100, 60, 2_000, 600, 3_000, 10_000);
        vault = new LiquidityVault(
            IFactory(address(pool)), IPool(address(pool)), address(1), address(2), address(3), bounds
        );
        hevm.deal(address(vault), 1 ether);
    }

    function check_a_rebalance_keeps_custody(address caller, address origin) public {
        _anyVault(1);
        bytes memory data = svm.createCalldata("LiquidityVault", true);
        hevm.assume(bytes4(data) == LiquidityVault.rebalance.selector);
        _keepsCustody(caller, origin, data);
    }

    function check_any_other_call_keeps_custody(address caller, address origin) public {
        _anyVault(4);
        bytes memory data = svm.createCalldata("LiquidityVault", true);
        hevm.assume(bytes4(data) != LiquidityVault.rebalance.selector);
        _keepsCustody(caller, origin, data);
    }

    /// @dev For the owner too.
    function check_nothing_is_entered_in_the_midst(address caller, address origin) public {
        _anyVault(4);
        hevm.assume(hevm.load(address(vault), Slots.STAGE) != 0);
        bytes memory data = svm.createCalldata("LiquidityVault", true);
        bytes4 what = bytes4(data);
        hevm.assume(
            what == LiquidityVault.rebalance.selector || what == LiquidityVault.collectFees.selector
                || what == LiquidityVault.withdraw.selector || what == LiquidityVault.exit.selector
        );
        hevm.prank(caller, origin);
        (bool done,) = address(vault).call(data);
        assert(!done);
    }

    function _keepsCustody(address caller, address origin, bytes memory data) private {
        Decided memory before = _decided();
        hevm.assume(caller != before.owner);
        hevm.prank(caller, origin);
        (bool done,) = address(vault).call(data);
        done;
        assert(!witness.broken());
        assert(address(vault).balance == 1 ether);
        Decided memory later = _decided();
        assert(later.operator == before.operator && later.guardian == before.guardian);
        assert(later.bounds == before.bounds);
        // the guardian may pause, and who is proposed may accept
        assert(later.paused == before.paused || (caller == before.guardian && later.paused));
        bool accepted = caller == before.pendingOwner && later.owner == caller && later.pendingOwner == address(0);
        assert((later.owner == before.owner && later.pendingOwner == before.pendingOwner) || accepted);
    }

    /// @param ranges That it holds, at most.
    function _anyVault(uint256 ranges) private {
        Slots.setAll(address(vault), ranges);
        pool.open(ranges);
        hevm.warp(Any.number(64));
    }

    function _decided() private view returns (Decided memory) {
        return Decided({
            owner: vault.owner(),
            pendingOwner: vault.pendingOwner(),
            operator: vault.operator(),
            guardian: vault.guardian(),
            paused: vault.paused(),
            bounds: hevm.load(address(vault), Slots.BOUNDS)
        });
    }
}

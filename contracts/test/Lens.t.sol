// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IArbSys, ISeenManager, SnapshotLens} from "../src/SnapshotLens.sol";
import {Bench} from "./Bench.sol";
import {vm} from "./Vm.sol";

/// @notice What of the lens depends on the chain it is on. That it tells what single calls tell is tested
/// in tests/integration/test_lens.py.
contract LensTest is Bench {
    address private constant ARB_SYS = address(0x64);

    function test_it_tells_of_the_block_it_is_in() public {
        vm.roll(1_000);
        uint256[] memory world = _world();
        _equal(world[0], 1_000);
        _equal(world[1], uint256(blockhash(999)));
        _equal(world[2], block.timestamp);
        require(world[1] != 0, "no parent");
    }

    function test_the_first_block_has_no_parent() public {
        vm.roll(0);
        uint256[] memory world = _world();
        _equal(world[0], 0);
        _equal(world[1], 0);
    }

    function test_on_Arbitrum_the_block_is_not_that_of_the_chain_beneath() public {
        bytes32 parent = keccak256("parent");
        vm.mockCall(ARB_SYS, abi.encodeCall(IArbSys.arbBlockNumber, ()), abi.encode(300_000_000));
        vm.mockCall(ARB_SYS, abi.encodeCall(IArbSys.arbBlockHash, (299_999_999)), abi.encode(parent));
        uint256[] memory world = _world();
        _equal(world[0], 300_000_000);
        _equal(world[1], uint256(parent));
        _equal(world[2], block.timestamp);
    }

    function test_a_negative_tick_is_in_the_word_below_unless_it_is_the_first_of_one() public {
        _settle(-1);
        SnapshotLens.Query memory query = _query();
        int24 span = 256 * query.tickSpacing;
        int24[3] memory reaches = [2 * span - 2, 2 * span - 1, 2 * span]; // to one above, the first, one below
        uint256[3] memory counts = [uint256(4), 4, 5];
        for (uint256 i = 0; i < 3; i++) {
            query.reach = reaches[i];
            (, uint256[] memory words,,,) = _seen(query);
            _equal(words.length, counts[i]);
        }
    }

    function test_sums_of_negative_ticks_are_negative() public {
        _settle(-100);
        uint256[] memory world = _world();
        require(int256(world[23]) < 0 && int256(world[24]) == int256(world[23]) - 60 * 100, "other sums");
    }

    function test_from_beyond_the_last_NFT_on_there_is_none() public {
        SnapshotLens.Query memory query = _query();
        (query.holder, query.vault, query.first, query.most) = (STRANGER, address(0), 1, 1);
        (,,, uint256[] memory positions,) = _seen(query);
        _equal(positions.length, 0);
    }

    function test_of_an_NFT_of_another_pool_nothing_is_told() public {
        SnapshotLens.Query memory query = _query();
        (query.manager, query.vault, query.most) = (STRANGER, address(0), 1);
        vm.mockCall(STRANGER, abi.encodeCall(ISeenManager.balanceOf, (query.holder)), abi.encode(1));
        vm.mockCall(STRANGER, abi.encodeCall(ISeenManager.tokenOfOwnerByIndex, (query.holder, 0)), abi.encode(7));
        vm.mockCall(STRANGER, abi.encodeCall(ISeenManager.positions, (7)), new bytes(12 * 32));
        (,,, uint256[] memory positions,) = _seen(query);
        _equal(positions.length, 0);
    }

    function test_a_vault_owns_its_ranges() public {
        _open(-600, 600, 1e21);
        (,,, uint256[] memory positions,) = _seen(_query());
        _equal(positions.length, 8);
        _equal(address(uint160(positions[1])), address(vault));
    }

    function test_what_cannot_be_read_is_named() public {
        SnapshotLens.Query memory query = _query();
        query.manager = STRANGER;
        bytes memory reason = _look(query);
        bytes memory data = abi.encodeWithSignature("balanceOf(address)", query.holder);
        _equal(
            uint256(keccak256(reason)),
            uint256(keccak256(abi.encodeWithSelector(SnapshotLens.Unreadable.selector, STRANGER, data)))
        );
    }

    function _query() private view returns (SnapshotLens.Query memory query) {
        query.pool = query.nativePool = address(pool);
        (query.fee, query.tickSpacing, query.reach, query.window) = (FEE, 10, 2_500, 60);
        query.tokens = [address(token0), address(token1)];
        query.spenders = [STRANGER, OPERATOR];
        query.holder = query.vault = address(vault);
        query.signer = OPERATOR;
        query.manager = address(token0); // whatever tells a count
    }

    function _look(SnapshotLens.Query memory query) private returns (bytes memory reason) {
        try new SnapshotLens(query) {
            revert("it was created");
        } catch (bytes memory told) {
            return told;
        }
    }

    function _world() private returns (uint256[] memory world) {
        (world,,,,) = _seen(_query());
    }

    function _seen(SnapshotLens.Query memory query)
        private
        returns (uint256[] memory, uint256[] memory, uint256[] memory, uint256[] memory, uint256[] memory)
    {
        bytes memory told = _look(query);
        require(bytes4(told) == SnapshotLens.Seen.selector, "another reason");
        assembly ("memory-safe") {
            // The length moves up, over the selector.
            mstore(add(told, 4), sub(mload(told), 4))
            told := add(told, 4)
        }
        return abi.decode(told, (uint256[], uint256[], uint256[], uint256[], uint256[]));
    }
}

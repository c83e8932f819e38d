// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BitMath} from "@uniswap/v4-core/src/libraries/BitMath.sol";

interface ISeenPool {
    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool);
    function liquidity() external view returns (uint128);
    function feeGrowthGlobal0X128() external view returns (uint256);
    function feeGrowthGlobal1X128() external view returns (uint256);
    function tickBitmap(int16 word) external view returns (uint256);
    function ticks(int24 tick)
        external
        view
        returns (uint128, int128, uint256, uint256, int56, uint160, uint32, bool);
    function positions(bytes32 key) external view returns (uint128, uint256, uint256, uint128, uint128);
    function observe(uint32[] calldata secondsAgos) external view returns (int56[] memory, uint160[] memory);
}

interface ISeenManager {
    function balanceOf(address owner) external view returns (uint256);
    function ownerOf(uint256 id) external view returns (address);
    function tokenOfOwnerByIndex(address owner, uint256 index) external view returns (uint256);
    function positions(uint256 id)
        external
        view
        returns (
            uint96,
            address,
            address,
            address,
            uint24,
            int24,
            int24,
            uint128,
            uint256,
            uint256,
            uint128,
            uint128
        );
}

interface ISeenToken {
    function balanceOf(address owner) external view returns (uint256);
    function allowance(address owner, address spender) external view returns (uint256);
}

interface ISeenVault {
    function owner() external view returns (address);
    function pendingOwner() external view returns (address);
    function operator() external view returns (address);
    function guardian() external view returns (address);
    function paused() external view returns (bool);
    function state() external view returns (uint64, uint64, uint40, int24, bool);
    function bounds() external view returns (uint32, uint24, uint24, uint24, uint32, uint24, uint24);
    function budgetLeft() external view returns (uint256);
    function ranges() external view returns (int24[2][] memory);
}

interface IArbSys {
    function arbBlockNumber() external view returns (uint256);
    function arbBlockHash(uint256 number) external view returns (bytes32);
}

/// @notice Reads all that a decision needs, by one `eth_call` that creates it and deploys nothing.
/// @dev It always reverts, with `Seen`: what a constructor returns would be code, of which a chain
/// accepts 24,576 bytes at most and asks 200 gas for each; revert data has no bound but gas.
contract SnapshotLens {
    struct Query {
        address pool;
        uint24 fee;
        int24 tickSpacing;
        int24 reach; // ticks to each side of the price
        uint32 window; // seconds that the oracle is asked about
        address nativePool; // its price is told besides
        address[2] tokens;
        address[2] spenders;
        address holder; // of the tokens and the positions
        address signer; // of the native coin
        address manager;
        uint256[] ids; // NFTs to look at, whoever owns them
        uint256 first; // and those that the holder owns in the pool, from this index on
        uint256 most; // at most so many of them
        address vault; // its ranges in the place of NFTs; zero where there is none
    }

    /// @param world Number, parent's hash and time of the block; slot0, liquidity and both fee growths of
    /// the pool; the price of the native pool; the signer's coins; the holder's balances, its allowances
    /// (by token, then by spender) and how many NFTs it owns; whether the oracle reaches back, and its
    /// sums of ticks then and now.
    /// @param words Those of the bitmap around the price, from the lowest on.
    /// @param ticks For each bit set in them, in order: gross liquidity above net liquidity, 128 bits each.
    /// @param positions For each: its id (of a vault's the vault and the range); the owner, zero where
    /// there is none; whether it is of this pool (1 bit), both ticks (24 bits each) and liquidity (128
    /// bits); what both fee growths inside were at its last change; the tokens owed (128 bits each); what
    /// the growths inside are now.
    /// @param vault Owner, proposed owner, operator, guardian, paused, state, bounds, budget left.
    error Seen(uint256[] world, uint256[] words, uint256[] ticks, uint256[] positions, uint256[] vault);
    error Unreadable(address contract_, bytes data);

    /// @dev What is needed of the pool to tell a position's fees.
    struct Growth {
        int24 tick;
        uint256 global0;
        uint256 global1;
    }

    int24 private constant MIN_TICK = -887272;
    int24 private constant MAX_TICK = 887272;
    IArbSys private constant ARB_SYS = IArbSys(address(0x64));
    uint256 private constant WORLD = 25;
    uint256 private constant RECORD = 8;

    constructor(Query memory query) {
        (uint256[] memory world, Growth memory growth) = _world(query);
        (uint256[] memory words, uint256[] memory ticks) = _ticks(query, growth.tick);
        revert Seen(world, words, ticks, _positions(query, growth), _vault(query.vault));
    }

    // --- the block, the pool, the holder ---

    function _world(Query memory query) private view returns (uint256[] memory world, Growth memory growth) {
        world = new uint256[](WORLD);
        _block(world);
        address pool = query.pool;
        uint256[12] memory told = _ask(pool, abi.encodeCall(ISeenPool.slot0, ()), 7);
        for (uint256 i = 0; i < 7; i++) world[3 + i] = told[i];
        world[10] = _one(pool, abi.encodeCall(ISeenPool.liquidity, ()));
        world[11] = _one(pool, abi.encodeCall(ISeenPool.feeGrowthGlobal0X128, ()));
        world[12] = _one(pool, abi.encodeCall(ISeenPool.feeGrowthGlobal1X128, ()));
        growth = Growth(int24(int256(world[4])), world[11], world[12]);
        world[13] = _ask(query.nativePool, abi.encodeCall(ISeenPool.slot0, ()), 7)[0];
        world[14] = query.signer.balance;
        for (uint256 i = 0; i < 2; i++) {
            address token = query.tokens[i];
            world[15 + i] = _one(token, abi.encodeCall(ISeenToken.balanceOf, (query.holder)));
            for (uint256 k = 0; k < 2; k++) {
                world[17 + 2 * i + k] =
                    _one(token, abi.encodeCall(ISeenToken.allowance, (query.holder, query.spenders[k])));
            }
        }
        world[21] = _one(query.manager, abi.encodeCall(ISeenManager.balanceOf, (query.holder)));
        _observe(world, query);
    }

    /// @dev On Arbitrum `block.number` and `blockhash` are those of the chain beneath.
    function _block(uint256[] memory world) private view {
        (bool done, bytes memory told) = address(ARB_SYS).staticcall(abi.encodeCall(IArbSys.arbBlockNumber, ()));
        bool arbitrum = done && told.length == 32;
        uint256 number = arbitrum ? abi.decode(told, (uint256)) : block.number;
        world[0] = number;
        if (number != 0) {
            world[1] = uint256(arbitrum ? ARB_SYS.arbBlockHash(number - 1) : blockhash(number - 1));
        }
        world[2] = block.timestamp;
    }

    function _observe(uint256[] memory world, Query memory query) private view {
        uint32[] memory ago = new uint32[](2);
        ago[0] = query.window;
        // slither-disable-next-line unused-return -- the liquidity of the time is not asked for
        try ISeenPool(query.pool).observe(ago) returns (int56[] memory sums, uint160[] memory) {
            world[22] = 1;
            (world[23], world[24]) = (uint256(int256(sums[0])), uint256(int256(sums[1])));
        } catch {}
    }

    // --- ticks ---

    function _ticks(Query memory query, int24 tick)
        private
        view
        returns (uint256[] memory words, uint256[] memory ticks)
    {
        int24 low = tick - query.reach < MIN_TICK ? MIN_TICK : tick - query.reach;
        int24 high = tick + query.reach > MAX_TICK ? MAX_TICK : tick + query.reach;
        int24 first = _word(low, query.tickSpacing);
        words = new uint256[](uint24(_word(high, query.tickSpacing) - first) + 1);
        uint256 count = 0;
        for (uint256 i = 0; i < words.length; i++) {
            int24 word = first + int24(uint24(i));
            words[i] = _one(query.pool, abi.encodeCall(ISeenPool.tickBitmap, (int16(word))));
            for (uint256 left = words[i]; left != 0; left &= left - 1) count++;
        }
        ticks = new uint256[](count);
        count = 0;
        for (uint256 i = 0; i < words.length; i++) {
            int24 start = (first + int24(uint24(i))) * 256;
            for (uint256 left = words[i]; left != 0; left &= left - 1) {
                int24 found = (start + int24(uint24(BitMath.leastSignificantBit(left)))) * query.tickSpacing;
                uint256[12] memory told = _ask(query.pool, abi.encodeCall(ISeenPool.ticks, (found)), 2);
                ticks[count++] = told[0] << 128 | uint128(told[1]);
            }
        }
    }

    /// @return word That of the bitmap in which a tick is, rounded down.
    function _word(int24 tick, int24 tickSpacing) private pure returns (int24 word) {
        int24 span = tickSpacing * 256;
        word = tick / span;
        if (tick < 0 && tick % span != 0) word--;
    }

    // --- positions ---

    function _positions(Query memory query, Growth memory growth) private view returns (uint256[] memory found) {
        if (query.vault != address(0)) return _ranges(query, growth);
        uint256 owned = _one(query.manager, abi.encodeCall(ISeenManager.balanceOf, (query.holder)));
        uint256 listed = owned > query.first ? owned - query.first : 0;
        if (listed > query.most) listed = query.most;
        found = new uint256[](RECORD * (query.ids.length + listed));
        uint256 at = 0;
        for (uint256 i = 0; i < query.ids.length; i++) {
            found[at] = query.ids[i];
            uint256[12] memory owner;
            if (_try(query.manager, abi.encodeCall(ISeenManager.ownerOf, (query.ids[i])), 1, owner)) {
                found[at + 1] = owner[0];
                _nft(query, growth, found, at);
            }
            at += RECORD;
        }
        for (uint256 i = 0; i < listed; i++) {
            found[at] = _one(
                query.manager, abi.encodeCall(ISeenManager.tokenOfOwnerByIndex, (query.holder, query.first + i))
            );
            found[at + 1] = uint160(query.holder);
            if (_nft(query, growth, found, at)) at += RECORD; // of the others nothing is told
        }
        assembly ("memory-safe") {
            mstore(found, at)
        }
    }

    /// @dev Fills in an NFT's record, whose id is there.
    function _nft(Query memory query, Growth memory growth, uint256[] memory found, uint256 at)
        private
        view
        returns (bool ofPool)
    {
        uint256[12] memory told =
            _ask(query.manager, abi.encodeCall(ISeenManager.positions, (found[at])), 12);
        ofPool = told[2] == uint160(query.tokens[0]) && told[3] == uint160(query.tokens[1]) && told[4] == query.fee;
        found[at + 2] = _held(ofPool, told[5], told[6], told[7]);
        (found[at + 3], found[at + 4]) = (told[8], told[9]);
        found[at + 5] = told[10] << 128 | told[11];
        if (ofPool) _inside(query.pool, growth, found, at);
    }

    function _ranges(Query memory query, Growth memory growth) private view returns (uint256[] memory found) {
        int24[2][] memory ranges = ISeenVault(query.vault).ranges();
        found = new uint256[](RECORD * ranges.length);
        for (uint256 i = 0; i < ranges.length; i++) {
            (int24 lower, int24 upper) = (ranges[i][0], ranges[i][1]);
            bytes32 key = keccak256(abi.encodePacked(query.vault, lower, upper));
            uint256[12] memory told = _ask(query.pool, abi.encodeCall(ISeenPool.positions, (key)), 5);
            uint256 at = RECORD * i;
            found[at] = uint256(uint160(query.vault)) << 48 | uint256(uint24(lower)) << 24 | uint24(upper);
            found[at + 1] = uint160(query.vault);
            found[at + 2] = _held(true, uint256(int256(lower)), uint256(int256(upper)), told[0]);
            (found[at + 3], found[at + 4]) = (told[1], told[2]);
            found[at + 5] = told[3] << 128 | told[4];
            _inside(query.pool, growth, found, at);
        }
    }

    function _held(bool ofPool, uint256 lower, uint256 upper, uint256 liquidity) private pure returns (uint256) {
        return (ofPool ? 1 << 176 : 0) | uint256(uint24(lower)) << 152 | uint256(uint24(upper)) << 128 | liquidity;
    }

    /// @dev Fills in the growth of fees inside a position's range, as the pool counts it: modulo 2**256.
    function _inside(address pool, Growth memory growth, uint256[] memory found, uint256 at) private view {
        int24 lower = int24(uint24(found[at + 2] >> 152));
        int24 upper = int24(uint24(found[at + 2] >> 128));
        uint256[12] memory below = _ask(pool, abi.encodeCall(ISeenPool.ticks, (lower)), 4);
        uint256[12] memory above = _ask(pool, abi.encodeCall(ISeenPool.ticks, (upper)), 4);
        unchecked {
            if (growth.tick < lower) {
                (below[2], below[3]) = (growth.global0 - below[2], growth.global1 - below[3]);
            }
            if (growth.tick >= upper) {
                (above[2], above[3]) = (growth.global0 - above[2], growth.global1 - above[3]);
            }
            found[at + 6] = growth.global0 - below[2] - above[2];
            found[at + 7] = growth.global1 - below[3] - above[3];
        }
    }

    // --- a vault ---

    function _vault(address vault) private view returns (uint256[] memory told) {
        if (vault == address(0)) return told;
        told = new uint256[](18);
        told[0] = _one(vault, abi.encodeCall(ISeenVault.owner, ()));
        told[1] = _one(vault, abi.encodeCall(ISeenVault.pendingOwner, ()));
        told[2] = _one(vault, abi.encodeCall(ISeenVault.operator, ()));
        told[3] = _one(vault, abi.encodeCall(ISeenVault.guardian, ()));
        told[4] = _one(vault, abi.encodeCall(ISeenVault.paused, ()));
        uint256[12] memory state = _ask(vault, abi.encodeCall(ISeenVault.state, ()), 5);
        for (uint256 i = 0; i < 5; i++) told[5 + i] = state[i];
        uint256[12] memory bounds = _ask(vault, abi.encodeCall(ISeenVault.bounds, ()), 7);
        for (uint256 i = 0; i < 7; i++) told[10 + i] = bounds[i];
        told[17] = _one(vault, abi.encodeCall(ISeenVault.budgetLeft, ()));
    }

    // --- asking ---

    function _one(address contract_, bytes memory data) private view returns (uint256) {
        return _ask(contract_, data, 1)[0];
    }

    /// @dev The first words of what a contract tells. Without it the whole answer would be worth nothing.
    function _ask(address contract_, bytes memory data, uint256 words)
        private
        view
        returns (uint256[12] memory told)
    {
        if (!_try(contract_, data, words, told)) revert Unreadable(contract_, data);
    }

    /// @return done Whether the contract tells so many words; the first of them are in `told`.
    function _try(address contract_, bytes memory data, uint256 words, uint256[12] memory told)
        private
        view
        returns (bool done)
    {
        assembly ("memory-safe") {
            done := staticcall(gas(), contract_, add(data, 32), mload(data), told, mul(words, 32))
            done := and(done, iszero(lt(returndatasize(), mul(words, 32))))
        }
    }
}

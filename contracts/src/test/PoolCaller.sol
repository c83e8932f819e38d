// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface IPayable {
    function transfer(address to, uint256 value) external returns (bool);
    function balanceOf(address owner) external view returns (uint256);
}

interface IViews {
    function slot0() external view;
    function liquidity() external view;
    function feeGrowthGlobal0X128() external view;
    function feeGrowthGlobal1X128() external view;
    function protocolFees() external view;
    function ticks(int24 tick) external view;
    function positions(bytes32 key) external view;
    function observations(uint256 index) external view;
}

/// @notice An owner of positions for tests: does anything with a pool, pays what the pool's callbacks
/// ask for out of its own balance, and tells in the same call what the pool holds afterwards.
/// @dev Warning: it pays whoever calls it back. It must never hold a token worth anything.
contract PoolCaller {
    /// @dev Words of an answer: of the pool as a whole, of one tick, position and observation.
    uint256 private constant POOL_WORDS = 14;
    uint256 private constant TICK_WORDS = 8;
    uint256 private constant POSITION_WORDS = 5;
    uint256 private constant OBSERVATION_WORDS = 4;

    IPayable private immutable token0;
    IPayable private immutable token1;

    constructor(IPayable token0_, IPayable token1_) {
        token0 = token0_;
        token1 = token1_;
    }

    /// @notice Calls `target` with `order`. A revert is an answer like any other: `done` is false,
    /// and `answer` is the target's own reason.
    function call(address target, bytes calldata order) public returns (bool done, bytes memory answer) {
        return target.call(order);
    }

    /// @notice `call`, and then `look`.
    function callAndLook(
        address pool,
        bytes calldata order,
        int24[] calldata ticks,
        bytes32[] calldata positions,
        uint256[] calldata observations
    ) external returns (bool done, bytes memory answer, uint256[] memory found) {
        (done, answer) = call(pool, order);
        found = look(pool, ticks, positions, observations);
    }

    /// @notice The pool in words, one after another as its own views return them: slot0, liquidity,
    /// both fee growths, protocolFees; its balances of both tokens; then the chosen ticks, positions
    /// and observations.
    function look(
        address pool,
        int24[] calldata ticks,
        bytes32[] calldata positions,
        uint256[] calldata observations
    ) public view returns (uint256[] memory found) {
        found = new uint256[](
            POOL_WORDS + TICK_WORDS * ticks.length + POSITION_WORDS * positions.length
                + OBSERVATION_WORDS * observations.length
        );
        _read(pool, abi.encodeCall(IViews.slot0, ()), found, 0, 7);
        _read(pool, abi.encodeCall(IViews.liquidity, ()), found, 7, 1);
        _read(pool, abi.encodeCall(IViews.feeGrowthGlobal0X128, ()), found, 8, 1);
        _read(pool, abi.encodeCall(IViews.feeGrowthGlobal1X128, ()), found, 9, 1);
        _read(pool, abi.encodeCall(IViews.protocolFees, ()), found, 10, 2);
        found[12] = token0.balanceOf(pool);
        found[13] = token1.balanceOf(pool);
        uint256 at = POOL_WORDS;
        for (uint256 i = 0; i < ticks.length; i++) {
            _read(pool, abi.encodeCall(IViews.ticks, (ticks[i])), found, at, TICK_WORDS);
            at += TICK_WORDS;
        }
        for (uint256 i = 0; i < positions.length; i++) {
            _read(pool, abi.encodeCall(IViews.positions, (positions[i])), found, at, POSITION_WORDS);
            at += POSITION_WORDS;
        }
        for (uint256 i = 0; i < observations.length; i++) {
            _read(pool, abi.encodeCall(IViews.observations, (observations[i])), found, at, OBSERVATION_WORDS);
            at += OBSERVATION_WORDS;
        }
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        _pay(amount0 > 0 ? uint256(amount0) : 0, amount1 > 0 ? uint256(amount1) : 0);
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        _pay(amount0, amount1);
    }

    /// @dev `data` says what to pay back, the loan itself included.
    function uniswapV3FlashCallback(uint256, uint256, bytes calldata data) external {
        (uint256 amount0, uint256 amount1) = abi.decode(data, (uint256, uint256));
        _pay(amount0, amount1);
    }

    function _pay(uint256 amount0, uint256 amount1) private {
        if (amount0 > 0) token0.transfer(msg.sender, amount0);
        if (amount1 > 0) token1.transfer(msg.sender, amount1);
    }

    /// @dev Writes the `count` words that the pool answers to `question` into `found`, from `at` on.
    function _read(address pool, bytes memory question, uint256[] memory found, uint256 at, uint256 count)
        private
        view
    {
        assembly ("memory-safe") {
            let size := mul(32, count)
            let into := add(found, mul(32, add(at, 1)))
            let done := staticcall(gas(), pool, add(question, 32), mload(question), into, size)
            if iszero(and(done, eq(returndatasize(), size))) { revert(0, 0) }
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IToken} from "../src/vault/IUniswapV3.sol";
import {Oracle} from "../src/vault/Oracle.sol";
import {Worth} from "../src/vault/Worth.sol";
import {Campaign} from "./Campaign.sol";
import {vm} from "./Vm.sol";

/// @notice What forge asks a contract that it calls at random.
abstract contract Adversary is Campaign {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(this);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(this), _actions());
    }

    function _actions() internal pure virtual returns (bytes4[] memory);

    // --- what every adversary does ---

    function collect() external {
        vm.prank(OPERATOR);
        vault.collectFees();
    }

    function steal(uint8 which, bool asOperator) external {
        address thief = asOperator ? OPERATOR : GUARDIAN;
        bytes[9] memory calls = [
            abi.encodeCall(vault.withdraw, (address(token0), type(uint256).max, thief)),
            abi.encodeCall(vault.exit, (thief, true, true)),
            abi.encodeCall(vault.uniswapV3MintCallback, (1e18, 1e18, "")),
            abi.encodeCall(vault.uniswapV3SwapCallback, (1e18, 1e18, "")),
            abi.encodeCall(vault.proposeOwner, (thief)),
            abi.encodeCall(vault.acceptOwner, ()),
            abi.encodeCall(vault.setOperator, (thief)),
            abi.encodeCall(vault.setGuardian, (thief)),
            abi.encodeCall(vault.setBounds, (_bounds()))
        ];
        vm.prank(thief);
        (bool done,) = address(vault).call(calls[which % 9]);
        require(!done, "stolen");
    }

    // --- what stays true ---

    function _tokensAreWithThePoolOrTheMarket() internal view {
        _equal(_everywhere(token0.balanceOf), token0.totalSupply());
        _equal(_everywhere(token1.balanceOf), token1.totalSupply());
    }

    function _rolesAreTheOwners() internal view {
        _equal(vault.owner(), OWNER);
        _equal(vault.pendingOwner(), address(0));
        _equal(vault.operator(), OPERATOR);
        _equal(vault.guardian(), GUARDIAN);
        _atMost(vault.ranges().length, 4);
    }

    function _everywhere(function(address) external view returns (uint256) balanceOf) private view returns (uint256) {
        return balanceOf(address(vault)) + balanceOf(address(pool)) + balanceOf(address(market));
    }

    function _exit() internal returns (uint256 amount0, uint256 amount1) {
        vm.prank(OWNER);
        vault.exit(STRANGER, true, true);
        return (token0.balanceOf(STRANGER), token1.balanceOf(STRANGER));
    }
}

/// @notice An adversary who is operator, guardian, trader, provider and donor at once, and holds the pool's
/// price wherever and for as long as it likes. What the vault would have at a price, its fees not counted, is
/// lessened by rebalances alone; and by these, at the average, at the spot and between, by no more than was
/// spent of the budget.
contract InvariantTest is Adversary {
    function _actions() internal pure override returns (bytes4[] memory selectors) {
        selectors = new bytes4[](8);
        selectors[0] = this.push.selector;
        selectors[1] = this.nudge.selector;
        selectors[2] = this.rest.selector;
        selectors[3] = this.rebalance.selector;
        selectors[4] = this.collect.selector;
        selectors[5] = this.donate.selector;
        selectors[6] = this.provide.selector;
        selectors[7] = this.steal.selector;
    }

    function push(int16 to) external {
        uint256[2] memory before = _worths();
        _moveTo(int24(to) % 3000);
        _notLess(before);
    }

    function nudge(int8 by) external {
        uint256[2] memory before = _worths();
        _moveTo(_tick() + by);
        _notLess(before);
    }

    function rest(uint16 duration) external {
        _wait(uint256(duration) % 7200 + 1);
    }

    function donate(uint64 amount, bool zero) external {
        market.send(IToken(address(zero ? token0 : token1)), address(vault), amount);
    }

    function provide(uint64 liquidity) external {
        market.add(pool, -887270, 887270, uint128(liquidity) + 1);
    }

    function rebalance(uint256 seed) external {
        _random = seed;
        if (_draw(4) != 0) {
            _wait(600); // or the price is nearly always away from the average
            _moveTo(_tick() + int24(int256(_draw(180))) - 90);
        }
        vm.prank(OPERATOR);
        vault.collectFees();
        (int24 average,) = Oracle.ticks(pool, 300);
        int24 spot = _tick();
        uint256[5] memory before;
        for (uint256 i = 0; i < 5; i++) before[i] = _worthAt(_between(average, spot, i));
        uint256 left = vault.budgetLeft();
        if (!_tryAnything()) return;
        uint256 spent = left - vault.budgetLeft();
        for (uint256 i = 0; i < 5; i++) {
            _atMost(Worth.lossUp(before[i], _worthAt(_between(average, spot, i))), spent + 1e6);
        }
    }

    function invariant_nothing_is_taken_from_the_vault() external view {
        _tokensAreWithThePoolOrTheMarket();
        _rolesAreTheOwners();
    }

    function afterInvariant() external {
        (uint160 price,,,,,,) = pool.slot0();
        (uint256 amount0, uint256 amount1) = _amountsAt(price);
        (uint256 got0, uint256 got1) = _exit();
        _atMost(amount0, got0);
        _atMost(amount1, got1);
    }

    function _between(int24 from, int24 to, uint256 quarters) private pure returns (int24) {
        return from + (to - from) * int24(int256(quarters)) / 4;
    }

    function _worths() private view returns (uint256[2] memory) {
        return [_worthAt(-5000), _worthAt(5000)];
    }

    function _notLess(uint256[2] memory before) private view {
        uint256[2] memory later = _worths();
        _atMost(before[0], later[0]);
        _atMost(before[1], later[1]);
    }
}

/// @notice The same adversary in a world with a true price, to which others bring the pool's back before any
/// time passes. All that it has in the end, in tokens, is what it put in and what the vault's budget allowed.
/// @dev Worth is that of `Worth.value` at the true price, which lies at the upper end of a tick: a unit of
/// either token counts 2**32.
contract TheftTest is Adversary {
    uint160 private constant TRUE = 79232123823359799118286999567; // of tick 0, a unit below that of tick 1
    uint256 private constant DUST = 20 << 32;
    int24 private constant WIDE = 887270;

    uint256 private _hadAdversary;
    uint256 private _hadVault;
    uint256 private _mayLose;
    uint256 public strikes;

    function setUp() public override {
        super.setUp();
        market.swapTo(pool, TRUE);
        _wait(600);
        _hadVault = _worthOf(FUNDS, FUNDS);
        uint256 before = vm.snapshotState();
        uint256 had = _adversaryLeaves();
        vm.revertToState(before);
        _hadAdversary = had;
    }

    function _actions() internal pure override returns (bytes4[] memory selectors) {
        selectors = new bytes4[](6);
        selectors[0] = this.strike.selector;
        selectors[1] = this.strikeBesideOwnLiquidity.selector;
        selectors[2] = this.rest.selector;
        selectors[3] = this.collect.selector;
        selectors[4] = this.donate.selector;
        selectors[5] = this.steal.selector;
    }

    /// @dev The price is put anywhere, the vault is made to do anything, the price comes back.
    function strike(uint256 seed) public {
        _random = seed;
        if (_draw(3) != 0) _wait(600);
        _wait(1);
        _strike();
    }

    /// @dev As above, but the adversary's own liquidity, which takes the vault's swaps, comes and goes.
    function strikeBesideOwnLiquidity(uint256 seed, int8 at, uint8 width) external {
        _random = seed;
        _wait(601);
        int24 lower = int24(at) / 10 * 10;
        int24 upper = lower + 10 * (1 + int24(uint24(width)) % 20);
        market.add(pool, lower, upper, 1e23);
        _strike();
        market.remove(pool, lower, upper, 1e23);
    }

    function rest(uint16 duration) external {
        _wait(uint256(duration) % 7200 + 1);
    }

    function donate(uint64 amount, bool zero) external {
        uint256 worth = zero ? _worthOf(amount, 0) : _worthOf(0, amount);
        market.send(IToken(address(zero ? token0 : token1)), address(vault), amount);
        (_hadVault, _hadAdversary) = (_hadVault + worth, _hadAdversary - worth);
    }

    function invariant_no_more_is_stolen_than_the_budget() external view {
        _tokensAreWithThePoolOrTheMarket();
        _rolesAreTheOwners();
        (uint256 amount0, uint256 amount1) = _amountsAt(TRUE);
        _atMost(_hadVault, _worthOf(amount0, amount1) + _mayLose);
    }

    /// @dev Everybody leaves.
    function afterInvariant() external {
        (uint256 amount0, uint256 amount1) = _exit();
        _atMost(_hadVault, _worthOf(amount0, amount1) + _mayLose + DUST);
        _atMost(_adversaryLeaves(), _hadAdversary + _mayLose + DUST);
    }

    function _strike() private {
        (uint256 amount0, uint256 amount1) = _amountsAt(TRUE);
        uint256 left = vault.budgetLeft();
        _moveTo(int24(int256(_draw(220))) - 110);
        if (_tryAnything()) {
            _mayLose += _worthOf(amount0, amount1) * (left - vault.budgetLeft()) / 1e18 + DUST;
            strikes++;
        }
        market.swapTo(pool, TRUE);
    }

    function _worthOf(uint256 amount0, uint256 amount1) private pure returns (uint256) {
        return Worth.value(amount0, amount1, TRUE, false);
    }

    function _adversaryLeaves() private returns (uint256) {
        market.remove(pool, -WIDE, WIDE, 1e22);
        return _worthOf(token0.balanceOf(address(market)), token1.balanceOf(address(market)));
    }
}

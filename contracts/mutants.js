// Plants each fault in a copy of the contracts and sees whether the test that names it notices; without a fault
// the same tests must pass.
// Run: node contracts/mutants.js           all of them, a minute
//      node contracts/mutants.js callback  those whose name contains the word
"use strict";

const { spawnSync } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");

const VAULT = "src/LiquidityVault.sol";
const ACCOUNT = "src/vault/PoolAccount.sol";
const ROLES = "src/vault/Roles.sol";
const BUDGET = "src/vault/Budget.sol";
const FIT = "src/vault/Fit.sol";

// Counts what was burned as it was worth before, in a vault that keeps no range.
const GAINS = `
        run.before = run.tally.worth(_balance(token0), _balance(token1), true);
        if (held.count() == 1) {
            (int24 lower, int24 upper) = held.at(0).ticks();
            uint160 mid = _checkSpot(run.twapTick, 200);
            uint128 all = uint128((burned0 << 96) / (Worth.sqrtPriceAt(upper) - mid) * mid / 2 ** 96 * Worth.sqrtPriceAt(upper) / 2 ** 96);
            run.tally.add(held.at(0), all);
            run.before = run.tally.worth(_balance(token0) - burned0, _balance(token1) - burned1, true);
            (run.tally.amount0, run.tally.amount1) = ([uint256(0), 0], [uint256(0), 0]);
            lower;
        }
`;

// Name, file, what stands there, what is put there, the test that names it.
const MUTANTS = [
  ["the callback is paid to whoever calls", ACCOUNT, "if (msg.sender != address(pool)) revert NotPool();", "", "only_the_pool_calls_back"],
  ["the callback needs no call in flight", ACCOUNT, "if (_stage != stage) revert NotInFlight();", "", "only_the_pool_calls_back"],
  ["re-entry is let through", ACCOUNT, "if (_stage != 0) revert Reentered();", "", "nothing_is_entered_twice"],
  ["no look at the price before", VAULT, "uint160 spot = _checkSpot(run.twapTick, limits.maxDeviation);", "uint160 spot = _checkSpot(run.twapTick, 8388607);", "excuse_the_spot_before"],
  ["no look at the price before the block", VAULT, "if (_distance(last, run.twapTick) > limits.maxDeviation) revert PriceAway(last, run.twapTick);", "", "before_the_block_is_near"],
  ["no look at the price after", VAULT, "        _checkSpot(run.twapTick, limits.maxDeviation);\n", "", "refused_after"],
  ["the average is cut off towards zero", "src/vault/Oracle.sol", "if (moved < 0 && moved % span != 0) average--;", "", "rounded_down"],
  ["a pool without history counts as quiet", "src/vault/Oracle.sol", "            revert NoHistory(window);", "            average = 0;", "without_history"],
  ["a sequence number is good twice", VAULT, "(was.seq, was.rebalancedAt) = (was.seq + 1,", "(was.seq, was.rebalancedAt) = (was.seq,", "good_for_one_call"],
  ["any sequence number is good", VAULT, "if (seq != was.seq) revert", "if (seq < was.seq) revert", "good_for_one_call"],
  ["the deadline is forgotten", VAULT, "if (block.timestamp > deadline) revert TooLate(deadline);", "", "after_the_deadline"],
  ["the operator withdraws", VAULT, "address to) external onlyOwner entered {", "address to) external entered {", "nobody_but_the_owner"],
  ["the guardian may do what the owner may", ROLES, "if (msg.sender != owner) revert NotOwner();", "if (msg.sender != owner && msg.sender != guardian) revert NotOwner();", "nobody_but_the_owner"],
  ["a pause holds the owner's money", VAULT, "function exit(address to, bool want0, bool want1) external onlyOwner entered {", "function exit(address to, bool want0, bool want1) external onlyOwner entered { if (paused) revert IsPaused();", "always_leave_with_everything"],
  ["a dead oracle holds the owner's money", VAULT, "        state.centred = false;\n", "        state.centred = false;\n        Oracle.ticks(pool, bounds.twapWindow);\n", "always_leave_with_everything"],
  ["an exit leaves what is on its way valid", VAULT, "uint64 seq = state.seq++;", "uint64 seq = state.seq;", "voids_what_is_on_its_way"],
  ["the owner can set any deviation", VAULT, "bounds_.maxDeviation > MAX_DEVIATION || ", "", "never_looser_than_the_constants"],
  ["the owner can set any loss", VAULT, " || bounds_.maxLossPerDay > MAX_LOSS_PER_DAY", "", "never_looser_than_the_constants"],
  ["losses are counted at the average alone", VAULT, "run.tally.prices = [spot < low ? spot : low, spot > high ? spot : high];", "run.tally.prices = [Worth.sqrtPriceAt(run.twapTick), Worth.sqrtPriceAt(run.twapTick)];", "lagging_average"],
  ["losses are counted at the spot alone", VAULT, "run.tally.prices = [spot < low ? spot : low, spot > high ? spot : high];", "run.tally.prices = [spot, spot];", "a_loss_above_that_of_a_call"],
  ["losses are not counted at the price before the block", VAULT, "last < run.twapTick ? (last, run.twapTick) : (run.twapTick, last);", "(run.twapTick, run.twapTick);", "loss_at_the_price_before_the_block"],
  ["a price is taken for the lower end of its tick", VAULT, "Worth.sqrtPriceAt(upper + 1)", "Worth.sqrtPriceAt(upper)", "TheftTest"],
  ["losses are counted at one of two prices", VAULT, "uint256 k = losses[0] > losses[1] ? 0 : 1;", "uint256 k = 0;", "LeakTest"],
  ["no loss is too large for a call", BUDGET, "if (loss > limits.maxLossPerCall * WAD_PER_PIP) revert IVault.LossPerCall(loss);", "", "a_loss_above_that_of_a_call"],
  ["no loss is too large for a day", BUDGET, "if (loss > ready) revert IVault.LossPerDay(loss, ready);", "if (loss > ready) ready = loss;", "losses_of_a_day"],
  ["the whole day's budget stands ready", BUDGET, "* WAD_PER_PIP / 2;", "* WAD_PER_PIP;", "losses_of_a_day"],
  ["the gains of burns pay for losses", VAULT, "        run.before = run.tally.worth(_balance(token0), _balance(token1), true);\n", GAINS, "gain_of_a_burn"],
  ["the centre is forgotten when all is closed", VAULT, "if (held != 0) (was.centre, was.centred) =", "if (held == 0) was.centred = false;\n        if (held != 0) (was.centre, was.centred) =", "does_not_forget_the_centre"],
  ["a token may return nothing", "src/vault/TokenTest.sol", "if (!done || data.length != 32 || bytes32(data) != bytes32(uint256(1))) revert TokenRefused(token);", "if (!done) revert TokenRefused(token);", "returns_nothing_is_refused"],
  ["a token may take a fee", "src/vault/TokenTest.sol", "if (keccak256(reason) != keccak256(expected)) revert TokenRefused(token);", "expected;", "takes_a_fee_is_refused"],
  ["any pool will do", ACCOUNT, "if (factory.getPool(token0, token1, pool_.fee()) != address(pool_)) revert PoolNotOfFactory(address(pool_));", "factory;", "of_another_factory"],
  ["the cooldown is forgotten", VAULT, "if (block.timestamp < readyAt) revert TooSoon(readyAt);", "", "cooldown_passes_first"],
  ["a mint needs no minimum", ACCOUNT, "if ((order.amount0Min | order.amount1Min) == 0) revert NoMinimum();", "", "mint_has_minimums"],
  ["a mint may bring less than its minimum", ACCOUNT, "if (amount0 < order.amount0Min || amount1 < order.amount1Min) revert MintedTooLittle(amount0, amount1);", "", "mint_has_minimums"],
  ["a mint takes all that is held, not what is desired", ACCOUNT, "_atMost(order.amount0Desired, _balance(token0))", "_balance(token0)", "the_position_manager"],
  ["a mint counts liquidity by one token alone", FIT, "return a < b ? a : b;", "return a;", "the_position_manager"],
  ["liquidity is rounded up", FIT, "return _cut(FullMath.mulDiv(_cut(amount), Q96, sqrtUpper - sqrtLower));", "return _cut(FullMath.mulDivRoundingUp(_cut(amount), Q96, sqrtUpper - sqrtLower));", "the_position_manager"],
];

// The folder of what has no fault.
const SOUND = "sound";

// A fault shows at once or never: the last one to be noticed takes 13 runs of its test.
const CHEAP = {
  FOUNDRY_OPTIMIZER: "false",
  FOUNDRY_FUZZ_RUNS: "32",
  FOUNDRY_INVARIANT_RUNS: "2",
  FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT: "0",
};

// Tests may ask for more runs.
const RUNS = / *\/\/\/ forge-config: default.*\n/g;

const TESTS = fs.readdirSync(path.join(__dirname, "test")).filter((name) => name.endsWith(".t.sol"));

// What is written above a test belongs to it.
const TEST = /(?: *\/\/\/.*\n)* {4}function ((?:test|invariant)\w*)\([^{]*\{(?:.*\}\n|\n[^]*?\n {4}\}\n)/g;

function read(file) {
  return fs.readFileSync(path.join(__dirname, file), "utf8");
}

// A file of tests without those that none of the names is of.
function narrowed(text, names) {
  const contracts = text.replace(RUNS, "").split(/^(?=contract )/m);
  return contracts
    .map((part) => {
      const [, contract] = /^contract (\w+)/.exec(part) || [];
      const isNamed = (test) => names.some((name) => name === contract || test.includes(name));
      return part.replace(TEST, (all, test) => (isNamed(test) ? all : ""));
    })
    .join("");
}

function hasTests(text) {
  return text.match(TEST) !== null;
}

// Files by name: one and all that it imports of ours.
function withImports(file, text, found = new Map()) {
  if (found.has(file)) return found;
  found.set(file, text);
  for (const [, to] of text.matchAll(/^(?:import|\}) .*from "(\.[^"]*)";/gm)) {
    const imported = path.join(path.dirname(file), to);
    withImports(imported, read(imported), found);
  }
  return found;
}

// The tests that these names are of, and what they test.
function filesOf(names) {
  const files = new Map();
  for (const test of TESTS) {
    const text = narrowed(read(path.join("test", test)), names);
    if (hasTests(text)) withImports(path.join("test", test), text, files);
  }
  return files;
}

function write(folder, files) {
  for (const [file, text] of files) {
    const full = path.join(folder, file);
    fs.mkdirSync(path.dirname(full), { recursive: true });
    fs.writeFileSync(full, text);
  }
}

function planted(files, [name, file, from, to]) {
  const text = read(file);
  const count = text.split(from).length - 1;
  if (count !== 1) throw new Error(`${name}: stands ${count} times in ${file}`);
  if (!files.has(file)) throw new Error(`${name}: its tests do not use ${file}`);
  return files.set(file, text.replace(from, () => to));
}

// One project of all: so the compiler starts once, and what all of them import is read once.
function project(folder, mutants) {
  for (const name of ["foundry.toml", "solcw.js"]) fs.cpSync(path.join(__dirname, name), path.join(folder, name));
  fs.symlinkSync(path.join(__dirname, "node_modules"), path.join(folder, "node_modules"));
  write(path.join(folder, "test", SOUND), filesOf(mutants.map(([, , , , test]) => test)));
  mutants.forEach((mutant, index) => {
    write(path.join(folder, "test", String(index)), planted(filesOf([mutant[4]]), mutant));
  });
}

// By folder of `test`: the names of the tests that failed.
function run(folder) {
  const forge = path.join(folder, "node_modules/.bin/forge");
  const env = { ...process.env, ...CHEAP };
  const options = { cwd: folder, env, encoding: "utf8", maxBuffer: 1 << 28 };
  const done = spawnSync(forge, ["test", "--offline", "--json"], options);
  let suites;
  try {
    suites = JSON.parse(done.stdout);
  } catch {
    throw new Error(`forge: ${(done.stderr || done.stdout).slice(0, 2000)}`);
  }
  const results = new Map();
  for (const [suite, { test_results: tests }] of Object.entries(suites)) {
    const of = suite.split("/")[1];
    const failed = Object.keys(tests).filter((test) => tests[test].status !== "Success");
    results.set(of, [...(results.get(of) || []), ...failed]);
  }
  return results;
}

function main([word = ""]) {
  const mutants = MUTANTS.filter(([name]) => name.includes(word));
  if (!mutants.length) throw new Error(`no fault has ${word} in its name`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mutants-"));
  let results;
  try {
    project(folder, mutants);
    results = run(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
  const broken = results.get(SOUND);
  if (broken.length) throw new Error(`without a fault these fail: ${broken.join(", ")}`);
  let missed = 0;
  mutants.forEach(([name, , , , test], index) => {
    const found = results.get(String(index));
    if (!found) throw new Error(`${name}: no test has ${test} in its name`);
    // a vault that cannot even be made was not caught by the test
    const failed = found.filter((each) => each !== "setUp()");
    if (!failed.length) missed += 1;
    process.stdout.write(failed.length ? `caught  ${name}: ${failed.join(", ")}\n` : `MISSED  ${name}: ${test}\n`);
  });
  if (missed) throw new Error(`${missed} missed`);
}

main(process.argv.slice(2));

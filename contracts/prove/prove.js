// Has halmos prove Custody.t.sol of a copy of the vault whose mathematics answer anything.
// Run, with halmos and forge on PATH:
//      node contracts/prove/prove.js                 the proof
//      node contracts/prove/prove.js quick           all of it but the rebalance, which takes most of the time
//      node contracts/prove/prove.js faults          plants one fault after another and sees whether it fails
//      node contracts/prove/prove.js faults approve  those whose name contains the word
"use strict";

const { spawnSync } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");

const CONTRACTS = path.join(__dirname, "..");
const VAULT = "src/LiquidityVault.sol";
const ACCOUNT = "src/vault/PoolAccount.sol";
const ROLES = "src/vault/Roles.sol";

// Whatever the compiler holds to be view or pure can neither send nor write, so that a proof with any answer
// in its place is a proof of the vault. `Held` stays: a list of any length would never end.
const FREED = [VAULT, ACCOUNT, ...["Budget", "Fit", "Oracle", "Tally", "Worth"].map((name) => `src/vault/${name}.sol`)];
const SIGNATURE =
  /function (\w+)\([^)]*\)\s+(?:internal|private)\s+(?:view|pure)\s+(?:returns \(([^)]*)\)\s+)?\{\n/;
const END = "\n    }\n";
const PRAGMA = "pragma solidity 0.8.30;\n";
const IMPORT = 'import {Any} from "prove/Any.sol";\n';

// In place of those that return nothing: they refuse, or write to what they are handed.
const BODIES = {
  _checkRange: "",
  _look: "run.twapTick = int24(uint24(Any.number(24))); run.tally.prices = [uint160(Any.number(160)), uint160(Any.number(160))];",
  add: "for (uint256 k = 0; k < 2; k++) (tally.amount0[k], tally.amount1[k]) = (Any.number(256), Any.number(256));",
};

// Custody rests on this one.
const KEPT = ["_checkCallback"];

// File, what stands there, what is put there.
const PREPARED = [
  // In storage it has any value at first, as if the call came in the midst of another.
  [ACCOUNT, "uint256 private transient _stage;", "uint256 private _stage;"],
  // The stand-ins lend nothing to the constructor, of which nothing is proved.
  [ACCOUNT, "        TokenTest.check(address(pool_), token0, token1);\n", ""],
];

const REBALANCE = "check_a_rebalance_keeps_custody";
const OTHERS = "check_any_other_call_keeps_custody";
const MIDST = "check_nothing_is_entered_in_the_midst";
const QUICK = [MIDST, OTHERS];
const CHECKS = [...QUICK, REBALANCE];

// Of halmos.
const PASS = 0;
const COUNTEREXAMPLE = 1;

// Name, the check that finds it, file, what stands there, what is put there.
const FAULTS = [
  ["anybody withdraws", OTHERS, VAULT, "address to) external onlyOwner entered {", "address to) external entered {"],
  ["the operator exits", OTHERS, VAULT, "bool want1) external onlyOwner entered {", "bool want1) external onlyOperator entered {"],
  ["a callback pays whom it names", OTHERS, ACCOUNT, "if (amount0 != 0) _send(token0, msg.sender, amount0);", "if (amount0 != 0) _send(token0, address(uint160(amount1)), amount0);"],
  ["a callback pays whoever calls", OTHERS, ACCOUNT, "if (msg.sender != address(pool)) revert NotPool();", ""],
  ["a call of no name pays who calls", OTHERS, VAULT, "    // --- anybody ---\n", "    fallback() external {\n        _withdraw(token0, 1, msg.sender);\n    }\n"],
  ["fees are collected for who calls", OTHERS, ACCOUNT, "pool.collect(address(this),", "pool.collect(msg.sender,"],
  ["the operator sets the operator", OTHERS, ROLES, "function setOperator(address operator_) external onlyOwner {", "function setOperator(address operator_) external onlyOperator {"],
  ["the operator sets the bounds", OTHERS, VAULT, "function setBounds(Bounds calldata bounds_) external onlyOwner {", "function setBounds(Bounds calldata bounds_) external onlyOperator {"],
  ["anybody accepts to be the owner", OTHERS, ROLES, "        if (msg.sender != pendingOwner) revert NotPendingOwner();\n", ""],
  ["the guardian ends a pause", OTHERS, ROLES, "function unpause() external onlyOwner {", "function unpause() external {\n        if (msg.sender != guardian && msg.sender != owner) revert NotGuardian();"],
  ["a rebalance pays who sent it", REBALANCE, VAULT, "        state = was;\n", "        state = was;\n        _withdraw(token0, 1, tx.origin);\n"],
  ["a rebalance sends ether", REBALANCE, VAULT, "        state = was;\n", "        state = was;\n        payable(msg.sender).transfer(1);\n"],
  ["a rebalance sets the operator", REBALANCE, ROLES, "if (msg.sender != operator && msg.sender != owner) revert NotOperator();", "if (msg.sender != operator && msg.sender != owner) revert NotOperator();\n        operator = tx.origin;"],
  ["a swap is for who calls", REBALANCE, ACCOUNT, "address(this), order.zeroForOne,", "msg.sender, order.zeroForOne,"],
  ["a position is opened for who calls", REBALANCE, ACCOUNT, "pool.mint(address(this),", "pool.mint(msg.sender,"],
  ["a mint lets the caller approve", REBALANCE, ACCOUNT, "        _stage = MINTING;\n", '        _stage = MINTING;\n        (bool done,) = token0.call(abi.encodeWithSignature("approve(address,uint256)", msg.sender, 1));\n        done;\n'],
  ["re-entry is let through", MIDST, ACCOUNT, "if (_stage != 0) revert Reentered();", ""],
];

function anything(declared) {
  const type = declared.trim().split(" ")[0];
  const [, kind, bits, length] = /^(u?int|bool)(\d*)(?:\[(\d+)\])?$/.exec(type) || [];
  if (!kind) throw new Error(`there is no stand-in for ${declared}`);
  const number = {
    bool: "(Any.number(1) != 0)",
    uint: `uint${bits}(Any.number(${bits}))`,
    int: `int${bits}(uint${bits}(Any.number(${bits})))`,
  }[kind];
  return length ? `[${Array(Number(length)).fill(number).join(", ")}]` : number;
}

function body(name, returns) {
  if (returns) return `return (${returns.split(",").map(anything).join(", ")});`;
  if (BODIES[name] === undefined) throw new Error(`there is no stand-in for ${name}`);
  return BODIES[name];
}

function freed(source) {
  const found = SIGNATURE.exec(source);
  if (!found) return source;
  const [head, name, returns] = found;
  const from = found.index + head.length;
  const to = source.indexOf(END, from - 1);
  const inside = KEPT.includes(name) ? source.slice(from, to) : body(name, returns);
  return source.slice(0, from) + inside + END + freed(source.slice(to + END.length));
}

function replaced(source, file, from, to) {
  const count = source.split(from).length - 1;
  if (count !== 1) throw new Error(`stands ${count} times in ${file}: ${from}`);
  return source.replace(from, () => to);
}

// The sources as they are proved, with one fault or none.
function write(folder, fault) {
  const changes = fault ? [...PREPARED, fault] : PREPARED;
  // where the build fails halmos takes what it finds there
  for (const name of ["src", "out", "cache"]) fs.rmSync(path.join(folder, name), { recursive: true, force: true });
  for (const name of ["LiquidityVault.sol", "TokenProbe.sol", "vault"]) {
    fs.cpSync(path.join(CONTRACTS, "src", name), path.join(folder, "src", name), { recursive: true });
  }
  for (const file of new Set([...FREED, ...changes.map(([name]) => name)])) {
    const full = path.join(folder, file);
    let source = fs.readFileSync(full, "utf8");
    for (const [, from, to] of changes.filter(([name]) => name === file)) source = replaced(source, file, from, to);
    if (FREED.includes(file)) source = replaced(freed(source), file, PRAGMA, PRAGMA + IMPORT);
    fs.writeFileSync(full, source);
  }
}

function project() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "prove-"));
  for (const name of fs.readdirSync(__dirname)) {
    const to = name.endsWith(".sol") ? path.join("prove", name) : name;
    fs.cpSync(path.join(__dirname, name), path.join(folder, to));
  }
  fs.cpSync(path.join(CONTRACTS, "solcw.js"), path.join(folder, "solcw.js"));
  fs.symlinkSync(path.join(CONTRACTS, "node_modules"), path.join(folder, "node_modules"));
  return folder;
}

// What halmos found. Where it has not looked at every path its exit code tells, or the count of bounded loops.
function results(folder, options) {
  const found = path.join(folder, "found.json");
  fs.rmSync(found, { force: true });
  const run = spawnSync("halmos", ["--root", folder, "--no-status", "--json-output", found, ...options], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (!fs.existsSync(found)) throw new Error(`halmos: ${run.error || run.stdout + run.stderr}`);
  const { test_results: suites } = JSON.parse(fs.readFileSync(found, "utf8"));
  return Object.values(suites).flat();
}

function line(word, name, result) {
  return `${word}  ${name} (${result.num_paths[0]} paths, ${Math.round(result.time[0])} s)\n`;
}

function prove(folder, checks) {
  write(folder, null);
  let failed = 0;
  for (const check of checks) {
    const [result] = results(folder, ["--function", check]);
    if (!result) throw new Error(`${check} is not there`);
    const proved = result.exitcode === PASS && result.num_bounded_loops === 0;
    if (!proved) failed += 1;
    process.stdout.write(line(proved ? "proved" : `FAILED with ${result.exitcode}`, check, result));
  }
  if (failed) throw new Error(`${failed} not proved: halmos --root ${folder} tells more`);
}

function plant(folder, word) {
  let missed = 0;
  for (const [name, check, ...fault] of FAULTS.filter(([name]) => name.includes(word))) {
    write(folder, fault);
    const [result] = results(folder, ["--function", check, "--early-exit"]);
    if (!result) throw new Error(`${check} is not there`);
    const caught = result.exitcode === COUNTEREXAMPLE;
    if (!caught) missed += 1;
    process.stdout.write(line(caught ? "caught" : `MISSED with ${result.exitcode}`, name, result));
  }
  if (missed) throw new Error(`${missed} missed; the last stands in ${folder}`);
}

function main([what, word = ""]) {
  const folder = project();
  if (what === undefined) prove(folder, CHECKS);
  else if (what === "quick") prove(folder, QUICK);
  else if (what === "faults") plant(folder, word);
  else throw new Error(`nothing to do is called ${what}`);
  fs.rmSync(folder, { recursive: true });
}

main(process.argv.slice(2));

// Compiles src/ with the solc of package-lock.json and writes artifacts/*.json.
// Run: node contracts/build.js          writes the artifacts
//      node contracts/build.js --check  fails where they differ from what would be written
"use strict";

const fs = require("fs");
const path = require("path");
const solc = require("solc");

const SRC = path.join(__dirname, "src");
const OUT = path.join(__dirname, "artifacts");

// No metadata hash: the bytecode depends on the code alone. Paris: no opcode a chain may lack.
const SETTINGS = {
  evmVersion: "paris",
  metadata: { appendCBOR: false, bytecodeHash: "none" },
  optimizer: { enabled: true, runs: 200 },
};

// The vault keeps its guard against re-entry in transient storage, which is younger.
const OTHER_SETTINGS = { "src/LiquidityVault.sol": { ...SETTINGS, evmVersion: "cancun" } };

// Parts of others, of no use alone.
const PARTS = "src/vault/";

function sources(folder) {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const full = path.join(folder, entry.name);
      return entry.isDirectory() ? sources(full) : [full];
    })
    .filter((file) => file.endsWith(".sol"))
    .sort();
}

function readImport(name) {
  const folders = [__dirname, path.join(__dirname, "node_modules")];
  const file = folders.map((folder) => path.join(folder, name)).find((found) => fs.existsSync(found));
  return file
    ? { contents: fs.readFileSync(file, "utf8") }
    : { error: `${name} is not in node_modules; run npm ci in contracts/` };
}

function compile(names, settings) {
  const output = { "*": ["abi", "evm.bytecode.object"] };
  const input = { language: "Solidity", settings: { ...settings }, sources: {} };
  input.settings.outputSelection = Object.fromEntries(names.map((name) => [name, output]));
  for (const name of names) input.sources[name] = { content: fs.readFileSync(path.join(__dirname, name), "utf8") };
  const compiled = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport }));
  for (const problem of compiled.errors || []) process.stderr.write(problem.formattedMessage + "\n");
  if ((compiled.errors || []).length) throw new Error("solc is not content with the sources");
  return names.map((name) => [name, compiled.contracts[name] || {}, settings]);
}

function compileAll() {
  const names = sources(SRC)
    .map((file) => path.relative(__dirname, file).split(path.sep).join("/"))
    .filter((name) => !name.startsWith(PARTS));
  const others = names.filter((name) => name in OTHER_SETTINGS);
  const usual = names.filter((name) => !(name in OTHER_SETTINGS));
  return [compile(usual, SETTINGS), ...others.map((name) => compile([name], OTHER_SETTINGS[name]))].flat();
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}

function artifacts() {
  const files = new Map();
  for (const [source, contracts, settings] of compileAll()) {
    for (const [name, { abi, evm }] of Object.entries(contracts)) {
      if (evm.bytecode.object === "" || files.has(`${name}.json`)) continue;
      const bytecode = "0x" + evm.bytecode.object;
      const compiler = { settings, version: solc.version() };
      const artifact = sorted({ abi, bytecode, compiler, contractName: name, source });
      files.set(`${name}.json`, JSON.stringify(artifact, null, 1) + "\n");
    }
  }
  return files;
}

function stale(files) {
  const present = fs.readdirSync(OUT).filter((name) => name.endsWith(".json"));
  const wrong = present.filter((name) => !files.has(name));
  for (const [name, text] of files) {
    const file = path.join(OUT, name);
    if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text) wrong.push(name);
  }
  return wrong;
}

function main() {
  const files = artifacts();
  fs.mkdirSync(OUT, { recursive: true });
  const wrong = stale(files);
  if (process.argv.includes("--check")) {
    if (wrong.length) throw new Error(`not up to date: ${wrong.join(", ")}; run make contracts`);
    return;
  }
  for (const name of wrong) {
    if (files.has(name)) fs.writeFileSync(path.join(OUT, name), files.get(name));
    else fs.unlinkSync(path.join(OUT, name));
  }
  process.stdout.write(`${files.size} contracts, ${wrong.length} artifacts changed\n`);
}

main();

#!/usr/bin/env node
// What forge calls as its compiler: the solc of package-lock.json, by the two options forge uses.
"use strict";

const fs = require("fs");
const solc = require("solc");

const options = process.argv.slice(2);

if (options.includes("--version")) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (options.includes("--standard-json")) {
  process.stdout.write(solc.compile(fs.readFileSync(0, "utf8")));
} else {
  process.stderr.write(`solcw: no such option here: ${options.join(" ")}\n`);
  process.exit(1);
}

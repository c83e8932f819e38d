// @uniswap/v3-sdk's Pool. Takes part as the Python engines do: see serving.py.
// "public" asks getOutputAmount and getInputAmount, which make a new Pool of every answer;
// "inner" awaits the swap they wrap and keeps one Pool.
"use strict";

const { createHash } = require("crypto");
const { readFileSync } = require("fs");
const { createInterface } = require("readline");
const { createRequire } = require("module");

const [workloadFile, way, folder] = process.argv.slice(2);
// The packages are in a folder that the bench made, not beside this file.
const required = createRequire(`${folder}/`);
const { Pool, Tick } = required("@uniswap/v3-sdk");
const { CurrencyAmount, Token } = required("@uniswap/sdk-core");
const JSBI = required("jsbi");

const FEE_PIPS = 3000;
const workload = JSON.parse(readFileSync(workloadFile, "utf8"));
const token0 = new Token(1, `0x${"11".repeat(20)}`, 18, "T0");
const token1 = new Token(1, `0x${"22".repeat(20)}`, 18, "T1");
const ticks = workload.ticks.map(
  ([index, liquidityGross, liquidityNet]) => new Tick({ index, liquidityGross, liquidityNet }),
);

function newPool() {
  const price = JSBI.leftShift(JSBI.BigInt(1), JSBI.BigInt(96));
  return new Pool(token0, token1, FEE_PIPS, price, workload.liquidity, 0, ticks);
}

const orders = workload.orders.map(([zeroForOne, amount]) => {
  const exactInput = !amount.startsWith("-");
  const token = zeroForOne === exactInput ? token0 : token1;
  return {
    zeroForOne,
    exactInput,
    signed: JSBI.BigInt(amount),
    asked: CurrencyAmount.fromRawAmount(token, amount.replace("-", "")),
  };
});

async function throughPublicCalls() {
  const answers = [];
  let pool = newPool();
  const began = process.hrtime.bigint();
  for (const { exactInput, asked } of orders) {
    const answer = exactInput
      ? await pool.getOutputAmount(asked)
      : await pool.getInputAmount(asked);
    pool = answer[1];
    answers.push(answer);
  }
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const rows = answers.map(([amount, after], i) => [
    after.sqrtRatioX96,
    after.tickCurrent,
    after.liquidity,
    (orders[i].exactInput ? "-" : "") + amount.quotient.toString(),
  ]);
  return { seconds, rows };
}

async function throughInnerSwap() {
  const answers = [];
  const pool = newPool();
  const began = process.hrtime.bigint();
  for (const { zeroForOne, signed } of orders) {
    const answer = await pool.swap(zeroForOne, signed);
    pool.sqrtRatioX96 = answer.sqrtRatioX96;
    pool.tickCurrent = answer.tickCurrent;
    pool.liquidity = answer.liquidity;
    answers.push(answer);
  }
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const rows = answers.map((a) => [
    a.sqrtRatioX96,
    a.tickCurrent,
    a.liquidity,
    a.amountCalculated,
  ]);
  return { seconds, rows };
}

const run = { public: throughPublicCalls, inner: throughInnerSwap }[way];

async function answer(request) {
  if (global.gc) global.gc();
  const { seconds, rows } = await run();
  const texts = rows.map((row) => row.map((cell) => cell.toString()));
  const lines = texts.map((row) => `${row.join(" ")}\n`).join("");
  const digest = createHash("sha256").update(lines).digest("hex");
  return request === "rows"
    ? { seconds, digest, rows: texts, fee_growth: null }
    : { seconds, digest };
}

async function serve() {
  console.log(JSON.stringify({ ready: true }));
  for await (const request of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(request.trim())));
  }
}

serve();

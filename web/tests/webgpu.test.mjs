/** The built page on WebGPU, which Chromium emulates on the CPU: slow, so a handful of texts. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browse, EMULATED_GPU, open, serve } from "./page.mjs";
import { expected } from "./expected.mjs";

const TOLERANCE = 1e-3;
const PATIENCE_MS = Number(process.env.WEBGPU_MS ?? 900_000);
const NUM_TEXTS = 3;
let server, browser, missing;

before(async () => {
  server = await serve();
  browser = await browse({ gpu: EMULATED_GPU });
  const page = await browser.context.newPage();
  await page.goto(new URL("config.json", new URL("model/", server.url)).href);
  missing = await page.evaluate(async () => {
    if (!("Suspending" in WebAssembly)) return "this Chromium has no WebAssembly promise integration";
    const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
    return adapter ? undefined : "this Chromium gives no WebGPU adapter, not even an emulated one";
  });
  await page.close();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("an emulated GPU is left alone where nobody asks for it", async (context) => {
  if (missing) return context.skip(missing);
  const page = await open(browser.context, server.url);
  assert.match(await page.locator("#device").innerText(), /^WebAssembly/);
  assert.ok(!server.requests.some((path) => path.includes("jspi")));
  await page.close();
});

test("on WebGPU the scores are those of the Python package", async (context) => {
  if (missing) return context.skip(missing);
  const cases = expected("scores");
  const page = await browser.context.newPage();
  await page.goto(`${server.url}?device=webgpu`);
  // The page asks about this text first, and a blank one is refused at once.
  await page.locator("#text").fill("");
  await page.waitForFunction(() => window.labelwise !== undefined || document.querySelector("#status.is-error"), undefined, { timeout: PATIENCE_MS });
  assert.equal(await page.locator("#device").innerText(), "WebGPU", await page.locator("#status").innerText());
  const ask = (question) => page.evaluate(async (each) => (await window.labelwise.ask(each)).result, question);

  let greatest = 0;
  const differs = (ours, theirs) => (greatest = Math.max(greatest, Math.abs(ours - theirs)));
  for (const { expected: python, ...question } of shortest(cases.classify, ({ text, labels }) => text + labels.join(""))) {
    const { labels } = await ask({ task: "classify", ...question });
    assert.equal(labels.length, question.labels.length);
    for (const { label, score } of labels) differs(score, python.scores[label]);
  }
  for (const { expected: python, ...question } of shortest(cases.entail, ({ premise }) => premise).slice(0, 1)) {
    const { scores } = await ask({ task: "entail", ...question });
    for (const { role, score } of scores) differs(score, python[role]);
  }
  for (const { expected: python, ...question } of shortest(cases.answer, ({ context: text }) => text).slice(0, 1)) {
    const { score, nullScore } = await ask({ task: "answer", ...question });
    differs(score, python.score);
    differs(nullScore, python.null_score);
  }
  context.diagnostic(`greatest difference: ${greatest.toExponential(2)}`);
  assert.ok(greatest <= TOLERANCE, `a score differs by ${greatest}`);
  assert.equal(await page.locator("#runtime-size").innerText(), "16.8 MB");
});

/** A GPU that is emulated takes about a second for each token. */
function shortest(cases, textOf) {
  return cases.toSorted((one, other) => textOf(one).length - textOf(other).length).slice(0, NUM_TEXTS);
}

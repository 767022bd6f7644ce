/** The built page in Chromium, against the Python package on the same files. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browse, open, ready, serve } from "./page.mjs";
import { expected } from "./expected.mjs";

const TOLERANCE = 1e-3;
const IDS = { text: "#text", result: "#classify-result", label: "#new-label" };
let server, browser, page, cases;

before(async () => {
  cases = expected("scores");
  // Longer than a page waits for a worker that is installed: a first visit on a slow network is kept all the same.
  server = await serve({ delayMs: 5000 });
  browser = await browse();
  page = await open(browser.context, server.url);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Ask the page's own model everything at once; it answers in order. */
async function asked(questions) {
  return page.evaluate(
    async (all) => (await Promise.all(all.map((each) => window.labelwise.ask(each)))).map(({ result }) => result),
    questions,
  );
}

test("labels get the scores of the Python package on 200 texts", async (context) => {
  assert.equal(cases.classify.length, 200);
  const found = await asked(cases.classify.map(({ expected: _, ...question }) => ({ task: "classify", ...question })));
  let greatest = 0;
  cases.classify.forEach(({ text, expected: python }, place) => {
    const { labels, windowsRead, numTokens } = found[place];
    assert.deepEqual({ windowsRead, numTokens }, { windowsRead: python.windowsRead, numTokens: python.numTokens }, text);
    for (const { label, score } of labels) greatest = Math.max(greatest, Math.abs(score - python.scores[label]));
    const accepted = labels.filter(({ isAccepted }) => isAccepted).map(({ label }) => label);
    if (margin(python.scores) > TOLERANCE) assert.deepEqual(accepted.sort(), python.accepted.sort(), text);
  });
  context.diagnostic(`greatest difference: ${greatest.toExponential(2)}`);
  assert.ok(greatest <= TOLERANCE, `a score differs by ${greatest}`);
});

test("entailment gets the scores of the Python package", async (context) => {
  const found = await asked(cases.entail.map(({ premise, hypothesis }) => ({ task: "entail", premise, hypothesis })));
  let greatest = 0;
  cases.entail.forEach(({ premise, expected: python }, place) => {
    assert.equal(found[place].windowsRead, python.windows_read, premise);
    for (const { role, score } of found[place].scores) greatest = Math.max(greatest, Math.abs(score - python[role]));
  });
  context.diagnostic(`greatest difference: ${greatest.toExponential(2)}`);
  assert.ok(greatest <= TOLERANCE, `a score differs by ${greatest}`);
});

test("answers are those of the Python package, and are cut out of the context", async (context) => {
  const found = await asked(cases.answer.map(({ question, context: text }) => ({ task: "answer", question, context: text })));
  let greatest = 0;
  let numOther = 0;
  cases.answer.forEach(({ context: text, expected: python }, place) => {
    const { start, end, score, nullScore, ...answer } = found[place];
    assert.equal(text.slice(start, end), answer.text);
    assert.equal(answer.windowsRead, python.windows_read);
    greatest = Math.max(greatest, Math.abs(score - python.score), Math.abs(nullScore - python.null_score));
    const spans = [answer.text, [...text.slice(0, start)].length];
    // Two spans whose scores are equal may stand in either order.
    if (spans.join() !== [python.text, python.start].join()) numOther += 1;
  });
  context.diagnostic(`greatest difference: ${greatest.toExponential(2)}; other spans: ${numOther}`);
  assert.ok(greatest <= TOLERANCE, `a score differs by ${greatest}`);
  assert.ok(numOther <= 1, `${numOther} answers are other spans`);
});

test("the page loads from its own origin alone, and shows its sizes and speed", async () => {
  const fact = (id) => page.locator(id).innerText();
  assert.match(await fact("#model-size"), /^\d+\.\d MB$/);
  assert.ok(parseFloat(await fact("#model-size")) <= 25);
  assert.match(await fact("#runtime-size"), /^14\.\d MB$/);
  assert.match(await fact("#elapsed"), /^\d+ ms$/);
  const foreign = await page.evaluate(
    () => performance.getEntriesByType("resource").filter(({ name }) => new URL(name).origin !== location.origin).length,
  );
  assert.equal(foreign, 0);
  assert.ok(!server.requests.some((path) => path.includes("jspi")), "the GPU's runtime is not loaded without a GPU");
  assert.deepEqual(page.problems, []);
});

test("everything works by keyboard: labels, switch and tabs", async () => {
  await page.locator(IDS.label).focus();
  await page.keyboard.type("broken screen");
  await page.keyboard.press("Enter");
  await settled(IDS.result);
  assert.equal(await page.locator("#chip-list li").count(), 5);
  await page.keyboard.press("Backspace");
  await settled(IDS.result);
  assert.equal(await page.locator(`${IDS.result} li`).count(), 4);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  assert.equal(await page.locator("#multi-label").isChecked(), true);
  await settled(IDS.result);
  await page.locator("#tab-classify").focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => document.activeElement.id), "tab-entail");
  assert.equal(await page.locator("#panel-entail").isVisible(), true);
  await settled("#entail-result");
  await page.keyboard.press("End");
  await settled("#answer-result");
  const marked = page.locator("#answer-result mark, #answer-result .answer");
  assert.ok((await marked.count()) >= 1);
  await page.keyboard.press("Home");
  assert.equal(await page.locator("#panel-classify").isVisible(), true);
});

test("a screen reader gets names for every field and hears the result", async () => {
  const tree = await page.locator("main").ariaSnapshot();
  for (const part of ['tablist "Task"', 'tab "Classify" [selected]', 'textbox "Text"', 'textbox "Labels"', 'switch "Several labels may fit"', 'button "Remove refund"', "status"]) {
    assert.ok(tree.includes(part), `${part} is not in\n${tree}`);
  }
  assert.match(await page.locator("#status").innerText(), /%|No label/);
});

test("what is typed is never read as HTML", async () => {
  await page.locator(IDS.label).fill("<img src=x onerror=window.hacked=1>,");
  await settled(IDS.result);
  assert.equal(await page.locator("main img").count(), 0);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  await page.locator("#chip-list button").last().click();
});

test("a blank text is refused in words, and typing on mends it", async () => {
  await page.locator(IDS.text).fill("  ");
  await page.locator("#status.is-error").waitFor();
  assert.match(await page.locator("#status").innerText(), /blank/);
  await page.locator(IDS.text).fill("I love it");
  await settled(IDS.result);
});

test("on a phone nothing is wider than the screen", async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const tab of ["entail", "answer", "classify"]) {
    await page.click(`#tab-${tab}`);
    const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    assert.ok(content <= screen, `${tab} is ${content} wide on a screen of ${screen}`);
  }
});

test("a GPU that gives no device is left for WebAssembly", async () => {
  const stub = `
    const adapter = { info: { isFallbackAdapter: false }, features: new Set(), limits: {},
      requestDevice: () => Promise.reject(new Error("no device")) };
    Object.defineProperty(navigator, "gpu", { value: { requestAdapter: async () => adapter } });
  `;
  const other = await serve({ stub });
  const fallen = await open(browser.context, other.url);
  assert.match(await fallen.locator("#device").innerText(), /^WebAssembly/);
  assert.ok(other.requests.some((path) => path.includes("jspi")), "the GPU was tried");
  assert.ok(fallen.remarks.some((text) => text.startsWith("WebGPU cannot run the model")), fallen.remarks.join("\n"));
  await fallen.close();
  await other.stop();
});

test("the page works without a server once it was loaded", async (context) => {
  await server.stop();
  await page.reload();
  await ready(page);
  context.diagnostic(`runs on ${await page.locator("#device").innerText()}`);
  const { expected: python, ...question } = cases.classify[20];
  const [{ labels }] = await asked([{ task: "classify", ...question }]);
  for (const { label, score } of labels) assert.ok(Math.abs(score - python.scores[label]) <= TOLERANCE);
  assert.deepEqual(page.problems, []);
});

/** Wait until the result belongs to what is typed. */
async function settled(selector) {
  await page.waitForTimeout(260);
  await page.waitForFunction((at) => document.querySelector(at).matches(":not(.is-stale):not(:empty)"), selector, { timeout: 60_000 });
}

/** How far the scores are from accepting another label. */
function margin(scores) {
  const [best, second = 0] = Object.values(scores).sort((a, b) => b - a);
  const fromThreshold = Math.min(...Object.values(scores).map((score) => Math.abs(score - 0.5)));
  return Math.min(best - second, fromThreshold);
}

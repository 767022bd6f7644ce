/** The parts that need no browser, against the Python package and against numbers of their own. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { runnerImport } from "vite";
import { expected, MODEL } from "./expected.mjs";

const read = (name) => JSON.parse(readFileSync(join(MODEL, name), "utf8"));
const load = async (name) => (await runnerImport(new URL(`../src/${name}.ts`, import.meta.url).pathname)).module;
let Tokenizer, Layout, windows, scores, spans, Model;

before(async () => {
  ({ Tokenizer } = await load("tokenizer"));
  ({ Layout } = await load("layout"));
  ({ Model } = await load("model"));
  windows = await load("windows");
  scores = await load("scores");
  spans = await load("spans");
});

test("the tokenizer gives the ids and spans of the Python package", () => {
  const tokenizer = new Tokenizer(read("tokenizer.json"), read("characters.json"));
  const wrong = [];
  for (const { text, ids, spans: pythonSpans } of expected("tokens")) {
    const found = tokenizer.encode(text);
    const places = characterPlaces(text);
    const ours = found.ids.map((id, place) => [id, places.get(found.starts[place]), places.get(found.ends[place])]);
    const theirs = ids.map((id, place) => [id, ...pythonSpans[place]]);
    if (JSON.stringify(ours) === JSON.stringify(theirs)) continue;
    const at = theirs.findIndex((token, place) => JSON.stringify(token) !== JSON.stringify(ours[place]));
    const [, start = 0] = theirs[at] ?? [];
    wrong.push({ near: [...text].slice(Math.max(0, start - 3), start + 6).join(""), python: theirs[at], page: ours[at] });
  }
  assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} texts differ`);
});

test("a text cannot spell a control token", () => {
  const tokenizer = new Tokenizer(read("tokenizer.json"), read("characters.json"));
  const { ids } = tokenizer.encode("[CLS] [SEP] [PAD] [MASK]");
  for (const control of [0, 101, 102, 103]) assert.ok(!ids.includes(control));
});

test("windows cover every token and share the overlap", () => {
  assert.deepEqual(windows.planWindows(10, 4, 1), [
    { start: 0, end: 4 },
    { start: 3, end: 7 },
    { start: 6, end: 10 },
  ]);
  assert.deepEqual(windows.planReading(3, 4), [{ start: 0, end: 3 }]);
});

test("labels beyond the budget go to the next row", () => {
  assert.deepEqual(windows.splitLabels([3, 3, 3], 6), [
    { start: 0, end: 2 },
    { start: 2, end: 3 },
  ]);
});

test("every label counts its positions on from the end of the text", () => {
  const row = new Layout(101, 102, 16).withLabels([7, 8], [[20, 21], [30]]);
  assert.deepEqual(row.inputIds, [101, 7, 8, 102, 20, 21, 102, 30, 102]);
  assert.deepEqual(row.segmentIds, [0, 0, 0, 0, 1, 1, 1, 2, 2]);
  assert.deepEqual(row.positionIds, [0, 1, 2, 3, 4, 5, 6, 4, 5]);
  assert.deepEqual(row.labelPositions, [6, 8]);
});

test("great logits overflow neither softmax nor sigmoid", () => {
  assert.deepEqual(scores.softmax([1000, 1000]), [0.5, 0.5]);
  assert.equal(scores.sigmoid(-1000), 0);
});

test("a span is cut out of the context, and no answer wins when its logit is greater", () => {
  const window = { start: [0, 5], end: [0, 5], spanStarts: [0, 4], spanEnds: [3, 8], null: 1 };
  assert.equal(spans.decideAnswer("the bridge", [window], 0).text, "brid");
  assert.equal(spans.decideAnswer("the bridge", [{ ...window, null: 11 }], 0).text, "");
});

test("the null threshold in labelwise.json decides when there is no answer, and its score says so", async () => {
  const run = async (row) => {
    const logits = row.inputIds.map((_, place) => (place === 0 ? 1 : place === row.inputIds.length - 2 ? 2 : -9));
    return { start_logits: Float32Array.from(logits), end_logits: Float32Array.from(logits) };
  };
  const answered = async (settings) => new Model({ ...files(), settings }, run).answer("where?", "the bridge");
  const plain = await answered({});
  assert.equal(plain.text, "bridge");
  assert.ok(Math.abs(plain.nullScore - 1 / (1 + Math.exp(2))) < 1e-4);
  assert.deepEqual(await answered({ null_threshold: 0 }), plain);
  const strict = await answered({ null_threshold: -3 });
  assert.equal(strict.text, "");
  assert.equal(strict.score, strict.nullScore);
  assert.ok(Math.abs(strict.score - 1 / (1 + Math.exp(-1))) < 1e-4);
});

test("calibration in labelwise.json moves the scores", async () => {
  const settings = { task_temperatures: { multi_label: 2 }, thresholds: { a: 0.9 }, label_biases: { a: 0, b: 1 }, hypothesis_template: "It is {}." };
  const rows = [];
  const run = async (row) => (rows.push(row), { label_logits: Float32Array.of(2, 2) });
  const model = new Model({ ...files(), settings }, run);
  const { labels } = await model.classify("text", ["a", "b"], true);
  assert.deepEqual(labels.map(({ label, isAccepted }) => [label, isAccepted]), [["b", true], ["a", false]]);
  assert.ok(Math.abs(labels[0].score - 1 / (1 + Math.exp(-2))) < 1e-12);
  assert.ok(Math.abs(labels[1].score - 1 / (1 + Math.exp(-1))) < 1e-12);
  assert.ok(rows[0].inputIds.length > 9, "the template's words are read");
  const { labels: others } = await model.classify("text", ["b", "c"], true);
  assert.equal(others[0].score, others[1].score, "a bias holds only where every label has one");
});

test("blank texts and labels given twice are refused", async () => {
  const model = new Model(files(), async () => assert.fail("nothing to run"));
  await assert.rejects(model.classify(" \n", ["a"], false), /blank/);
  await assert.rejects(model.classify("text", [], false), /no labels/);
  await assert.rejects(model.classify("text", ["a", "a"], false), /twice/);
  await assert.rejects(model.answer(" ", "context"), /question is blank/);
});

function files() {
  const [config, tokenizer, characters] = ["config.json", "tokenizer.json", "characters.json"].map(read);
  return { config, tokenizer, characters, tokenizerConfig: {}, settings: {} };
}

/** UTF-16 place -> place in characters, as Python counts. */
function characterPlaces(text) {
  const places = new Map();
  let unit = 0;
  let character = 0;
  for (const each of text) {
    places.set(unit, character++);
    unit += each.length;
  }
  return places.set(unit, character);
}

/** Which device runs the network, with devices that are made up: what falls back, and what does not. */

import assert from "node:assert/strict";
import { before, mock, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { runnerImport } from "vite";

const LOGITS = { label_logits: [1.5, -2], entail_logits: [0.25, 0.5, -1], start_logits: [3], end_logits: [-3] };
const ROW = { input_ids: [1], segment_ids: [0], token_type_ids: [0], position_ids: [0], label_positions: [0] };
const CHECK = { row: ROW, logits: LOGITS };
const HARDWARE = { info: { isFallbackAdapter: false } };
const EMULATED = { info: { isFallbackAdapter: true } };
let chooseNetwork;

before(async () => {
  mock.method(console, "warn", () => undefined);
  ({ chooseNetwork } = (await runnerImport(new URL("../src/devices.ts", import.meta.url).pathname)).module);
});

/** A browser's devices; `tried` tells which of them were asked to run, and which were given back. */
function devices({ adapter = HARDWARE, loadMs = 0, openMs = 0, runMs = 0, openGpu, gpuLogits = LOGITS, cpuLogits = LOGITS } = {}) {
  const tried = [];
  const network = (device, logits, ms) => ({
    device,
    numThreads: 1,
    run: () => wait(ms, logits),
    close: async () => void tried.push(`${device} closed`),
  });
  const loadGpu = async () => {
    tried.push("WebGPU");
    await wait(loadMs);
    return openGpu ?? (() => wait(openMs, network("WebGPU", gpuLogits, runMs)));
  };
  const openOnCpu = async () => (tried.push("WebAssembly"), network("WebAssembly", cpuLogits, 0));
  const requestAdapter = async () => {
    if (adapter instanceof Error) throw adapter;
    return adapter;
  };
  return { gpu: adapter === undefined ? undefined : { requestAdapter }, loadGpu, openOnCpu, tried };
}

async function deviceOf(given, asked, patienceMs) {
  const { device } = await chooseNetwork(given, CHECK, asked, patienceMs);
  return device;
}

test("a GPU that gives the build's numbers is used, and nothing else is started", async () => {
  const given = devices({ gpuLogits: { ...LOGITS, label_logits: [1.49, -2.01] } });
  assert.equal(await deviceOf(given), "WebGPU");
  assert.deepEqual(given.tried, ["WebGPU"]);
});

test("without an adapter the GPU's runtime is not even loaded", async () => {
  for (const adapter of [null, EMULATED, new Error("the GPU process crashed")]) {
    const given = devices({ adapter });
    assert.equal(await deviceOf(given), "WebAssembly");
    assert.deepEqual(given.tried, ["WebAssembly"]);
  }
  assert.equal(await deviceOf({ ...devices(), gpu: undefined }), "WebAssembly");
});

test("a GPU whose session fails is left for WebAssembly", async () => {
  const openGpu = () => Promise.reject(new Error("out of memory"));
  assert.equal(await deviceOf(devices({ openGpu })), "WebAssembly");
  const given = { ...devices(), loadGpu: () => Promise.reject(new Error("the server said 404")) };
  assert.equal(await deviceOf(given), "WebAssembly");
});

test("a GPU that gives other numbers, or none, is left for WebAssembly and given back", async () => {
  for (const wrong of [[1.5, -2.1], [NaN, -2], [1.5]]) {
    const given = devices({ gpuLogits: { ...LOGITS, label_logits: wrong } });
    assert.equal(await deviceOf(given), "WebAssembly");
    await wait(5);
    assert.ok(given.tried.includes("WebGPU closed"), given.tried.join());
  }
});

test("a GPU that is late is left for WebAssembly, and given back once it has come to an end", async () => {
  for (const slow of [{ openMs: 80 }, { runMs: 80 }]) {
    const given = devices(slow);
    assert.equal(await deviceOf(given, undefined, 20), "WebAssembly");
    assert.ok(!given.tried.includes("WebGPU closed"), "it still runs");
    await wait(120);
    assert.ok(given.tried.includes("WebGPU closed"), given.tried.join());
  }
});

test("a slow download is no slow GPU", async () => {
  assert.equal(await deviceOf(devices({ loadMs: 80 }), undefined, 40), "WebGPU");
});

test("who asks for WebAssembly gets it, whatever the GPU", async () => {
  const given = devices();
  assert.equal(await deviceOf(given, "WebAssembly"), "WebAssembly");
  assert.deepEqual(given.tried, ["WebAssembly"]);
});

test("who asks for WebGPU gets it, emulated and slow, or is told why not", async () => {
  assert.equal(await deviceOf(devices({ adapter: EMULATED, openMs: 40 }), "WebGPU", 5), "WebGPU");
  await assert.rejects(deviceOf(devices({ adapter: null }), "WebGPU"), /offers no WebGPU/);
  const wrong = devices({ gpuLogits: { ...LOGITS, end_logits: [3] } });
  await assert.rejects(deviceOf(wrong, "WebGPU"), /WebGPU: end_logits is off by 6/);
  assert.deepEqual(wrong.tried, ["WebGPU"]);
});

test("a WebAssembly that gives other numbers is refused", async () => {
  const given = devices({ adapter: null, cpuLogits: { ...LOGITS, start_logits: [3.1] } });
  await assert.rejects(deviceOf(given), /WebAssembly: start_logits is off by/);
});

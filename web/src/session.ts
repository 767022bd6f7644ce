/** The network in onnxruntime-web, on WebGPU or on WebAssembly. */

import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";
import glueUrl from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import gpuGlueUrl from "onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url";
import gpuWasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url";
import { chooseNetwork, OUTPUTS, type Check, type Device, type Gpu, type Network } from "./devices.ts";
import type { Row } from "./layout.ts";
import type { Logits, Run } from "./model.ts";

interface Runtime {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof Tensor;
}

const MAX_THREADS = 4;
/** Errors alone: onnxruntime writes its remarks on a graph as errors of the page. */
const LOG_SEVERITY = 3;

/** Start the network on the best device, or on the one that is asked. */
export async function openNetwork(model: Uint8Array, check: Check, asked: Device | undefined): Promise<Network> {
  const devices = { gpu: usableGpu(), loadGpu: () => loadGpu(model), openOnCpu: () => openOnCpu(model) };
  return chooseNetwork(devices, check, asked);
}

function usableGpu(): Gpu | undefined {
  // This runtime waits for the GPU by promise integration, which not all browsers with WebGPU have.
  return "gpu" in navigator && "Suspending" in WebAssembly ? (navigator.gpu as Gpu) : undefined;
}

async function loadGpu(model: Uint8Array): Promise<() => Promise<Network>> {
  const [runtime, wasm] = await Promise.all([import("onnxruntime-web/jspi"), fetch(absolute(gpuWasmUrl))]);
  if (!wasm.ok) throw new Error(`${gpuWasmUrl}: the server said ${wasm.status}`);
  runtime.env.wasm.wasmBinary = await wasm.arrayBuffer();
  runtime.env.wasm.wasmPaths = { mjs: absolute(gpuGlueUrl) };
  runtime.env.wasm.numThreads = 1;
  return async () => {
    const session = await runtime.InferenceSession.create(model, {
      executionProviders: ["webgpu"],
      logSeverityLevel: LOG_SEVERITY,
    });
    return { ...runner(runtime, session), device: "WebGPU", numThreads: 1 };
  };
}

async function openOnCpu(model: Uint8Array): Promise<Network> {
  const runtime = await import("onnxruntime-web/wasm");
  // Threads share memory, which browsers allow to isolated pages only (see service-worker.js).
  const numThreads = globalThis.crossOriginIsolated ? Math.min(MAX_THREADS, navigator.hardwareConcurrency) : 1;
  runtime.env.wasm.wasmPaths = { mjs: absolute(glueUrl), wasm: absolute(wasmUrl) };
  runtime.env.wasm.numThreads = numThreads;
  const session = await runtime.InferenceSession.create(model, {
    executionProviders: ["wasm"],
    // A busy machine has no core to spare for threads that wait by turning.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
  return { ...runner(runtime, session), device: "WebAssembly", numThreads };
}

function absolute(url: string): string {
  return new URL(url, globalThis.location.href).href;
}

function runner(runtime: Runtime, session: InferenceSession): { readonly run: Run; readonly close: () => Promise<void> } {
  const run: Run = async (row) => {
    const feeds: Record<string, Tensor> = {};
    for (const [name, values] of Object.entries(inputsOf(row))) {
      feeds[name] = new runtime.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
    }
    const found = await session.run(feeds);
    const logits = OUTPUTS.map((name) => [name, found[name]!.data as Float32Array] as const);
    return Object.fromEntries(logits) as Record<keyof Logits, Float32Array>;
  };
  return { run, close: () => session.release() };
}

function inputsOf(row: Row): Record<string, readonly number[]> {
  return {
    input_ids: row.inputIds,
    segment_ids: row.segmentIds,
    token_type_ids: row.tokenTypeIds,
    position_ids: row.positionIds,
    label_positions: row.labelPositions,
  };
}

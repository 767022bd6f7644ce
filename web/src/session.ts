/** The network: onnxruntime-web on WebGPU where it is there and right, else on WebAssembly. */

import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";
import glueUrl from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import gpuGlueUrl from "onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url";
import gpuWasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url";
import type { Row } from "./layout.ts";
import type { Logits, Run } from "./model.ts";

export type Device = "WebGPU" | "WebAssembly";

export interface Network {
  readonly run: Run;
  readonly device: Device;
  readonly numThreads: number;
}

/** A row and its logits as the build computed them. */
export interface Check {
  readonly row: Readonly<Record<string, readonly number[]>>;
  readonly logits: Readonly<Record<keyof Logits, readonly number[]>>;
}

interface Runtime {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof Tensor;
}

const MAX_THREADS = 4;
const GPU_PATIENCE_MS = 20_000;
/** Far more than rounding, far less than a wrong operator. */
const TOLERANCE = 0.02;
const OUTPUTS = ["label_logits", "entail_logits", "start_logits", "end_logits"] as const;

/** Start the network; `asked` leaves out WebGPU where it is "WebAssembly". */
export async function openNetwork(model: Uint8Array, check: Check, asked: Device | undefined): Promise<Network> {
  if (asked !== "WebAssembly" && (await hasWebGpu())) {
    try {
      return await inTime(openOnGpu(model).then((network) => checked(network, check)));
    } catch (error) {
      console.warn("WebGPU cannot run the model, WebAssembly will:", error);
    }
  }
  return checked(await openOnCpu(model), check);
}

async function hasWebGpu(): Promise<boolean> {
  // This runtime waits for the GPU by promise integration, which not all browsers with WebGPU have.
  if (!("gpu" in navigator) || !("Suspending" in WebAssembly)) return false;
  const gpu = navigator.gpu as { requestAdapter(): Promise<unknown> };
  return (await gpu.requestAdapter().catch(() => null)) !== null;
}

/** A GPU that is emulated, or lost, may take minutes: WebAssembly answers sooner. */
async function inTime(opening: Promise<Network>): Promise<Network> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`not ready after ${GPU_PATIENCE_MS} ms`)), GPU_PATIENCE_MS);
  });
  return Promise.race([opening, late]);
}

async function openOnGpu(model: Uint8Array): Promise<Network> {
  const runtime = await import("onnxruntime-web/jspi");
  runtime.env.wasm.wasmPaths = { mjs: absolute(gpuGlueUrl), wasm: absolute(gpuWasmUrl) };
  runtime.env.wasm.numThreads = 1;
  const session = await runtime.InferenceSession.create(model, { executionProviders: ["webgpu"] });
  return { run: runner(runtime, session), device: "WebGPU", numThreads: 1 };
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
  return { run: runner(runtime, session), device: "WebAssembly", numThreads };
}

function absolute(url: string): string {
  return new URL(url, globalThis.location.href).href;
}

function runner(runtime: Runtime, session: InferenceSession): Run {
  return async (row) => {
    const feeds: Record<string, Tensor> = {};
    for (const [name, values] of Object.entries(inputsOf(row))) {
      feeds[name] = new runtime.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
    }
    const found = await session.run(feeds);
    const logits = OUTPUTS.map((name) => [name, found[name]!.data as Float32Array] as const);
    return Object.fromEntries(logits) as Record<keyof Logits, Float32Array>;
  };
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

/** Run the build's row: a runtime that gives other numbers is not to be used. It also warms the network up. */
async function checked(network: Network, check: Check): Promise<Network> {
  const found = await network.run({
    inputIds: check.row["input_ids"]!,
    segmentIds: check.row["segment_ids"]!,
    tokenTypeIds: check.row["token_type_ids"]!,
    positionIds: check.row["position_ids"]!,
    labelPositions: check.row["label_positions"]!,
  });
  for (const name of OUTPUTS) {
    check.logits[name].forEach((expected, place) => {
      const difference = Math.abs(expected - (found[name][place] ?? NaN));
      if (!(difference <= TOLERANCE)) throw new Error(`${network.device}: ${name} is off by ${difference}`);
    });
  }
  return network;
}

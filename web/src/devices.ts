/** Which device runs the network: WebGPU where it is there, in time and right, else WebAssembly. */

import type { Logits, Run } from "./model.ts";

export type Device = "WebGPU" | "WebAssembly";

export interface Network {
  readonly run: Run;
  readonly device: Device;
  readonly numThreads: number;
  readonly close: () => Promise<void>;
}

/** A row and its logits as the build computed them. */
export interface Check {
  readonly row: Readonly<Record<string, readonly number[]>>;
  readonly logits: Readonly<Record<keyof Logits, readonly number[]>>;
}

/** What is used of the browser's `navigator.gpu`. */
export interface Gpu {
  requestAdapter(): Promise<{ readonly info?: { readonly isFallbackAdapter?: boolean } } | null>;
}

export interface Devices {
  /** Undefined in a browser without WebGPU, or with one that the runtime cannot wait for. */
  readonly gpu: Gpu | undefined;
  /** Fetch the runtime for WebGPU; what it returns starts the network. */
  readonly loadGpu: () => Promise<() => Promise<Network>>;
  readonly openOnCpu: () => Promise<Network>;
}

export const OUTPUTS = ["label_logits", "entail_logits", "start_logits", "end_logits"] as const;
const GPU_PATIENCE_MS = 20_000;
/** Far more than rounding, far less than a wrong operator. */
const TOLERANCE = 0.02;

/** Start the network on the device that is `asked`, or else on the best one that gives the build's numbers. */
export async function chooseNetwork(
  devices: Devices,
  check: Check,
  asked: Device | undefined,
  patienceMs = GPU_PATIENCE_MS,
): Promise<Network> {
  const found = asked === "WebAssembly" ? "none" : await kindOfGpu(devices.gpu);
  if (asked === "WebGPU") {
    if (found === "none") throw new Error("this browser offers no WebGPU that can be used: leave ?device=webgpu out");
    return checked(await (await devices.loadGpu())(), check);
  }
  if (found === "hardware") {
    try {
      // The clock starts after the download: a slow network is no slow GPU.
      return await inTime((await devices.loadGpu())(), check, patienceMs);
    } catch (error) {
      console.warn("WebGPU cannot run the model, WebAssembly will:", error);
    }
  }
  return checked(await devices.openOnCpu(), check);
}

/** A GPU that the browser emulates on the CPU is many times slower than WebAssembly. */
async function kindOfGpu(gpu: Gpu | undefined): Promise<"none" | "emulated" | "hardware"> {
  const adapter = (await gpu?.requestAdapter().catch(() => null)) ?? null;
  if (adapter === null) return "none";
  return adapter.info?.isFallbackAdapter === true ? "emulated" : "hardware";
}

/** A GPU that is lost, or busy, may take minutes: WebAssembly answers sooner. */
async function inTime(opening: Promise<Network>, check: Check, patienceMs: number): Promise<Network> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not ready after ${patienceMs} ms`)), patienceMs);
  });
  const checking = opening.then((network) => checked(network, check));
  try {
    return await Promise.race([checking, late]);
  } catch (error) {
    // Its memory is given back, but not while it still runs.
    void Promise.allSettled([checking]).then(async () => (await opening).close()).catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
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

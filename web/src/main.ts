/** The page: what is typed becomes a question to the model, its answer becomes bars. */

import { Client } from "./client.ts";
import type { Device } from "./devices.ts";
import { startOffline } from "./offline.ts";
import type { Question } from "./protocol.ts";
import { Chips } from "./ui/chips.ts";
import { byId } from "./ui/elements.ts";
import { showAnswer, showClassification, showEntailment } from "./ui/results.ts";
import { startTabs } from "./ui/tabs.ts";

type Task = Question["task"];

const PAUSE_MS = 200;
const LABELS = ["refund", "late delivery", "damaged goods", "praise"];
/** What `?device=` may ask for; without it the page chooses. */
const DEVICES: ReadonlyMap<string, Device> = new Map([["webgpu", "WebGPU"], ["wasm", "WebAssembly"]]);
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const status = byId("status");
let task: Task = "classify";
let client: Client | undefined;
let isBusy = false;
let isStale = false;
let pause: ReturnType<typeof setTimeout> | undefined;

const chips = new Chips(LABELS, () => askSoon(0));
const value = (id: string): string => byId<HTMLTextAreaElement>(id).value;

/** Tell the status line; what the bars show anyway is for screen readers alone. */
function say(message: string, kind: "news" | "error" | "spoken" = "news"): void {
  status.textContent = message;
  status.classList.toggle("is-error", kind === "error");
  status.classList.toggle("is-spoken", kind === "spoken");
}

/** Ask after a short pause in typing. While the model is busy only the newest question waits. */
function askSoon(delayMs = PAUSE_MS): void {
  byId(`${task}-result`).classList.add("is-stale");
  clearTimeout(pause);
  pause = setTimeout(() => void ask(), delayMs);
}

async function ask(): Promise<void> {
  if (client === undefined) return;
  if (isBusy) {
    isStale = true;
    return;
  }
  isBusy = true;
  const asked = task;
  const place = byId(`${asked}-result`);
  try {
    const { sentence, elapsedMs } = await answered(client, asked, place);
    byId("elapsed").textContent = `${elapsedMs.toFixed(0)} ms`;
    place.classList.remove("is-stale");
    say(sentence, "spoken");
  } catch (error) {
    place.replaceChildren();
    say((error as Error).message, "error");
  }
  isBusy = false;
  if (isStale) {
    isStale = false;
    askSoon(0);
  }
}

async function answered(model: Client, asked: Task, place: HTMLElement): Promise<{ sentence: string; elapsedMs: number }> {
  if (asked === "classify") {
    const isMultiLabel = byId<HTMLInputElement>("multi-label").checked;
    const { result, elapsedMs } = await model.ask({ task: asked, text: value("text"), labels: chips.labels, isMultiLabel });
    return { sentence: showClassification(place, result), elapsedMs };
  }
  if (asked === "entail") {
    const question = { task: asked, premise: value("premise"), hypothesis: value("hypothesis") } as const;
    const { result, elapsedMs } = await model.ask(question);
    return { sentence: showEntailment(place, result), elapsedMs };
  }
  const context = value("context");
  const { result, elapsedMs } = await model.ask({ task: asked, question: value("question"), context });
  return { sentence: showAnswer(place, result, context), elapsedMs };
}

async function start(): Promise<void> {
  const progress = byId<HTMLProgressElement>("progress");
  startTabs((chosen) => {
    task = chosen as Task;
    askSoon(0);
  });
  document.addEventListener("input", ({ target }) => {
    if ((target as HTMLElement).id !== "new-label") askSoon();
  });
  await startOffline();
  const asked = DEVICES.get(new URLSearchParams(location.search).get("device") ?? "");
  const loading = new Client(new URL("./model", document.baseURI).href, asked, (loaded, total) => {
    if (total > 0) progress.value = loaded / total;
    const isWhole = loaded >= total && total > 0;
    say(isWhole ? "Starting the model …" : `Loading the model … ${megabytes(loaded)} of ${megabytes(total)}`);
  });
  try {
    const { device, numThreads, modelBytes } = await loading.ready;
    byId("model-size").textContent = megabytes(modelBytes);
    byId("runtime-size").textContent = megabytes(device === "WebGPU" ? __GPU_RUNTIME_BYTES__ : __RUNTIME_BYTES__);
    byId("device").textContent = numThreads > 1 ? `${device}, ${numThreads} threads` : device;
    client = loading;
    // For the console and the tests: the same questions as a promise.
    Object.assign(window, { labelwise: loading });
    await ask();
  } catch (error) {
    say(`The model cannot be used: ${(error as Error).message}`, "error");
  }
  progress.hidden = true;
}

void start();

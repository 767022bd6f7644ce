/** The model's own thread, so that typing never waits for it. */

import type { Check, Device } from "./devices.ts";
import { Model, type ModelFiles } from "./model.ts";
import type { Question, Reply, Request, ResultOf } from "./protocol.ts";
import { openNetwork } from "./session.ts";

let model: Model | undefined;

self.onmessage = async ({ data }: MessageEvent<Request>): Promise<void> => {
  if (data.kind === "load") return load(data.modelUrl, data.device);
  try {
    const started = performance.now();
    const result = await ask(data.question);
    reply({ kind: "result", id: data.id, result, elapsedMs: performance.now() - started });
  } catch (error) {
    reply({ kind: "failed", id: data.id, message: messageOf(error) });
  }
};

async function load(folder: string, device: Device | undefined): Promise<void> {
  try {
    const json = async <T>(name: string): Promise<T> => (await fetched(`${folder}/${name}`)).json() as Promise<T>;
    const [config, tokenizer, characters, tokenizerConfig, settings, check, weights] = await Promise.all([
      json<ModelFiles["config"]>("config.json"),
      json<ModelFiles["tokenizer"]>("tokenizer.json"),
      json<ModelFiles["characters"]>("characters.json"),
      json<ModelFiles["tokenizerConfig"]>("tokenizer_config.json"),
      json<ModelFiles["settings"]>("labelwise.json"),
      json<Check>("check.json"),
      download(`${folder}/model.onnx`),
    ]);
    const network = await openNetwork(weights, check, device);
    model = new Model({ config, tokenizer, characters, tokenizerConfig, settings }, network.run);
    reply({ kind: "ready", device: network.device, numThreads: network.numThreads, modelBytes: weights.byteLength });
  } catch (error) {
    reply({ kind: "unusable", message: messageOf(error) });
  }
}

async function ask(question: Question): Promise<ResultOf[keyof ResultOf]> {
  if (model === undefined) throw new Error("the model is not loaded yet");
  if (question.task === "classify") return model.classify(question.text, question.labels, question.isMultiLabel);
  if (question.task === "entail") return model.entail(question.premise, question.hypothesis);
  return model.answer(question.question, question.context);
}

/** Fetch a large file and tell how far it is. */
async function download(url: string): Promise<Uint8Array> {
  const response = await fetched(url);
  const total = Number(response.headers.get("content-length") ?? 0);
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  for (const reader = response.body!.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.byteLength;
    reply({ kind: "progress", loaded, total });
  }
  const whole = new Uint8Array(loaded);
  chunks.reduce((place, chunk) => (whole.set(chunk, place), place + chunk.byteLength), 0);
  return whole;
}

async function fetched(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server said ${response.status}`);
  return response;
}

function reply(message: Reply): void {
  self.postMessage(message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

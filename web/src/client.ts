/** The model as the page sees it: questions in, promises out. */

import type { Device } from "./devices.ts";
import type { Question, Ready, Reply, Request, ResultOf } from "./protocol.ts";

export interface Timed<T> {
  readonly result: T;
  readonly elapsedMs: number;
}

interface Waiting {
  readonly resolve: (value: Timed<never>) => void;
  readonly reject: (error: Error) => void;
}

export class Client {
  readonly ready: Promise<Ready>;
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 0;

  constructor(modelUrl: string, device: Device | undefined, onProgress: (loaded: number, total: number) => void) {
    this.ready = new Promise((resolve, reject) => {
      this.worker.onerror = (event) => reject(new Error(event.message || "the worker did not start"));
      this.worker.onmessage = ({ data }: MessageEvent<Reply>) => {
        if (data.kind === "progress") onProgress(data.loaded, data.total);
        else if (data.kind === "ready") resolve(data);
        else if (data.kind === "unusable") reject(new Error(data.message));
        else this.settle(data);
      };
    });
    this.send({ kind: "load", modelUrl, device });
  }

  ask<Q extends Question>(question: Q): Promise<Timed<ResultOf[Q["task"]]>> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send({ kind: "ask", id, question });
    });
  }

  private settle(reply: Extract<Reply, { kind: "result" | "failed" }>): void {
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (reply.kind === "failed") waiting?.reject(new Error(reply.message));
    else waiting?.resolve({ result: reply.result as never, elapsedMs: reply.elapsedMs });
  }

  private send(request: Request): void {
    this.worker.postMessage(request);
  }
}

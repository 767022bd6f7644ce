/** What the page and its worker say to each other. */

import type { Device } from "./devices.ts";
import type { Classification, Entailment } from "./model.ts";
import type { Answer } from "./spans.ts";

export type Question =
  | { readonly task: "classify"; readonly text: string; readonly labels: readonly string[]; readonly isMultiLabel: boolean }
  | { readonly task: "entail"; readonly premise: string; readonly hypothesis: string }
  | { readonly task: "answer"; readonly question: string; readonly context: string };

export interface ResultOf {
  readonly classify: Classification;
  readonly entail: Entailment;
  readonly answer: Answer;
}

export type Request =
  | { readonly kind: "load"; readonly modelUrl: string; readonly device: Device | undefined }
  | { readonly kind: "ask"; readonly id: number; readonly question: Question };

export interface Ready {
  readonly device: Device;
  readonly numThreads: number;
  readonly modelBytes: number;
}

export type Reply =
  | { readonly kind: "progress"; readonly loaded: number; readonly total: number }
  | ({ readonly kind: "ready" } & Ready)
  | { readonly kind: "unusable"; readonly message: string }
  | { readonly kind: "result"; readonly id: number; readonly result: ResultOf[keyof ResultOf]; readonly elapsedMs: number }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };

/** Answer spans from start and end logits, decided at logit level over all windows of a context. */

import { logSum } from "./scores.ts";

/** What the reader said about one window: logits and UTF-16 spans of its context tokens. */
export interface WindowLogits {
  readonly start: ArrayLike<number>;
  readonly end: ArrayLike<number>;
  readonly spanStarts: readonly number[];
  readonly spanEnds: readonly number[];
  /** Start plus end logit of [CLS], which stands for "no answer". */
  readonly null: number;
}

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly logit: number;
}

/** `context.slice(start, end) === text`; the empty text means no answer. */
export interface Answer {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly score: number;
  readonly nullScore: number;
  readonly windowsRead: number;
}

const MAX_ANSWER_TOKENS = 30;
/** As in the published SQuAD recipe: probabilities are shared among the 20 best spans and "no answer". */
const NUM_BEST = 20;

/** The best distinct spans over all windows, best first; a span of two windows keeps its better logit. */
export function bestSpans(windows: readonly WindowLogits[]): Span[] {
  const best = new Map<string, Span>();
  for (const span of windows.flatMap(windowSpans)) {
    const key = `${span.start}:${span.end}`;
    const known = best.get(key);
    if (known === undefined || known.logit < span.logit) best.set(key, span);
  }
  return [...best.values()].sort(byLogit).slice(0, NUM_BEST);
}

/**
 * The answer, or that there is none: the null score is the least over the windows, as SQuAD 2.0 has it.
 * `nullThreshold`: logits by which "no answer" must beat the best span; they count in all scores.
 */
export function decideAnswer(context: string, windows: readonly WindowLogits[], nullThreshold: number): Answer {
  const spans = bestSpans(windows);
  const nullLogit = Math.min(...windows.map((window) => window.null)) - nullThreshold;
  const total = logSum([...spans.map((span) => span.logit), nullLogit]);
  const nullScore = Math.exp(nullLogit - total);
  const best = spans[0];
  if (best === undefined || nullLogit > best.logit) {
    return { text: "", start: 0, end: 0, score: nullScore, nullScore, windowsRead: windows.length };
  }
  const { start, end, logit } = best;
  const score = Math.exp(logit - total);
  return { text: context.slice(start, end), start, end, score, nullScore, windowsRead: windows.length };
}

function windowSpans(window: WindowLogits): Span[] {
  const found: { first: number; last: number; logit: number }[] = [];
  for (let first = 0; first < window.start.length; first++) {
    const stop = Math.min(first + MAX_ANSWER_TOKENS, window.end.length);
    for (let last = first; last < stop; last++) {
      found.push({ first, last, logit: window.start[first]! + window.end[last]! });
    }
  }
  found.sort((one, other) => other.logit - one.logit);
  return found
    .slice(0, NUM_BEST)
    .map(({ first, last, logit }) => ({ start: window.spanStarts[first]!, end: window.spanEnds[last]!, logit }))
    .filter((span) => span.end > span.start);
}

function byLogit(one: Span, other: Span): number {
  return other.logit - one.logit || one.start - other.start || one.end - other.end;
}

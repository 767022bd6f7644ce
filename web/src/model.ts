/** The model's verbs: classify, entail, answer. Everything but the network itself. */

import { Layout, NUM_LABEL_ROW_TOKENS, NUM_PAIR_ROW_TOKENS, type Row } from "./layout.ts";
import { checkFinite, sigmoid, softmax } from "./scores.ts";
import {
  biasesOf,
  rolesOf,
  temperatureOf,
  thresholdOf,
  windowTokens,
  type CheckpointSettings,
  type ModelConfig,
  type Role,
} from "./settings.ts";
import { decideAnswer, type Answer, type WindowLogits } from "./spans.ts";
import { Tokenizer, type CharacterClasses, type EncodedText, type TokenizerFile } from "./tokenizer.ts";
import { MIN_ROOM, planReading, planWindows, splitLabels, type Window } from "./windows.ts";

/** The network's outputs for one row. */
export interface Logits {
  readonly label_logits: Float32Array;
  readonly entail_logits: Float32Array;
  readonly start_logits: Float32Array;
  readonly end_logits: Float32Array;
}

export type Run = (row: Row) => Promise<Logits>;

export interface LabelScore {
  readonly label: string;
  readonly score: number;
  readonly isAccepted: boolean;
}

export interface Classification {
  /** Best first. */
  readonly labels: readonly LabelScore[];
  readonly numTokens: number;
  readonly windowsRead: number;
}

export interface Entailment {
  readonly label: Role;
  readonly scores: readonly { readonly role: Role; readonly score: number }[];
  readonly windowsRead: number;
}

export interface ModelFiles {
  readonly config: ModelConfig;
  readonly tokenizer: TokenizerFile;
  readonly characters: CharacterClasses;
  readonly tokenizerConfig: { readonly model_max_length?: number };
  readonly settings: CheckpointSettings;
}

/** Label tokens in one row; more labels are spread over several rows, which changes no score. */
const ROW_LABEL_TOKENS = 256;
/** The published readers were trained on windows of 384 tokens that share 128. */
const ANSWER_WINDOW_TOKENS = 384;
const ANSWER_OVERLAP_TOKENS = 128;
const MULTITASK_FAMILY = "labelwise-multitask";

export class Model {
  private readonly tokenizer: Tokenizer;
  private readonly layout: Layout;
  private readonly settings: CheckpointSettings;
  private readonly roles: ReadonlyMap<Role, number>;

  constructor(
    files: ModelFiles,
    private readonly run: Run,
  ) {
    const family = files.config.model_type;
    if (family !== MULTITASK_FAMILY) throw new Error(`the model is of type ${family}: only ${MULTITASK_FAMILY} is run`);
    this.tokenizer = new Tokenizer(files.tokenizer, files.characters);
    const maxTokens = windowTokens(files.config, files.tokenizerConfig.model_max_length);
    this.layout = new Layout(this.tokenizer.cls, this.tokenizer.sep, maxTokens);
    this.settings = files.settings;
    this.roles = rolesOf(files.config);
  }

  /** Say which labels fit a text; a label sees the text and itself alone. */
  async classify(text: string, labels: readonly string[], isMultiLabel: boolean): Promise<Classification> {
    checkText(text, "the text");
    checkLabels(labels);
    const encoded = this.tokenizer.encode(text);
    const labelIds = labels.map((label) => this.tokenizer.encode(this.hypothesis(label)).ids);
    const costs = labelIds.map((ids) => ids.length + 1);
    const room = this.layout.maxTokens - NUM_LABEL_ROW_TOKENS - Math.max(...costs);
    if (room < MIN_ROOM) throw new Error("a label leaves no room for the text; shorten it");
    const windows = planReading(encoded.ids.length, room);
    const logits: number[][] = [];
    for (const window of windows) logits.push(await this.labelLogits(encoded, window, labelIds, costs));
    const scores = this.labelScores(logits, labels, isMultiLabel);
    const ranked = labels.map((label, place) => ({ label, score: scores[place]! })).sort((a, b) => b.score - a.score);
    return {
      labels: ranked.map(({ label, score }, rank) => ({
        label,
        score,
        isAccepted: isMultiLabel ? score >= thresholdOf(this.settings, label) : rank === 0,
      })),
      numTokens: encoded.ids.length,
      windowsRead: windows.length,
    };
  }

  /** Say whether a hypothesis follows; of a long premise the window that decides most clearly speaks. */
  async entail(premise: string, hypothesis: string): Promise<Entailment> {
    checkText(premise, "the premise");
    checkText(hypothesis, "the hypothesis");
    const premiseIds = this.tokenizer.encode(premise).ids;
    const hypothesisIds = this.tokenizer.encode(hypothesis).ids;
    const room = this.layout.maxTokens - NUM_PAIR_ROW_TOKENS - hypothesisIds.length;
    if (room < MIN_ROOM) throw new Error("the hypothesis leaves no room for the premise; shorten it");
    const windows = planReading(premiseIds.length, room);
    const temperature = Math.fround(temperatureOf(this.settings, "entail"));
    let decisive: number[] | undefined;
    let leastUndecided = Infinity;
    for (const { start, end } of windows) {
      const { entail_logits: logits } = await this.run(this.layout.pair(premiseIds.slice(start, end), hypothesisIds));
      checkFinite(logits);
      const probabilities = softmax(Array.from(logits, (logit) => logit / temperature));
      const undecided = this.undecided(probabilities);
      if (undecided < leastUndecided) [decisive, leastUndecided] = [probabilities, undecided];
    }
    const scores = [...this.roles].map(([role, column]) => ({ role, score: decisive![column]! }));
    const best = scores.reduce((one, other) => (other.score > one.score ? other : one));
    return { label: best.role, scores, windowsRead: windows.length };
  }

  /** Find the answer to a question in a context, or say that there is none. */
  async answer(question: string, context: string): Promise<Answer> {
    checkText(question, "the question");
    checkText(context, "the context");
    const questionIds = this.tokenizer.encode(question.trimStart()).ids;
    const encoded = this.tokenizer.encode(context);
    const windowSize = Math.min(ANSWER_WINDOW_TOKENS, this.layout.maxTokens);
    const room = windowSize - NUM_PAIR_ROW_TOKENS - questionIds.length;
    if (room < MIN_ROOM) throw new Error("the question leaves no room for the context; shorten it");
    const overlap = Math.min(ANSWER_OVERLAP_TOKENS, Math.floor(room / 2));
    const first = this.layout.secondStart(questionIds.length);
    const read: WindowLogits[] = [];
    for (const { start, end } of planWindows(encoded.ids.length, room, overlap)) {
      const logits = await this.run(this.layout.pair(questionIds, encoded.ids.slice(start, end)));
      const last = first + end - start;
      checkFinite(logits.start_logits);
      checkFinite(logits.end_logits);
      read.push({
        start: logits.start_logits.subarray(first, last),
        end: logits.end_logits.subarray(first, last),
        spanStarts: encoded.starts.slice(start, end),
        spanEnds: encoded.ends.slice(start, end),
        null: logits.start_logits[0]! + logits.end_logits[0]!,
      });
    }
    return decideAnswer(context, read, this.settings.null_threshold ?? 0);
  }

  private hypothesis(label: string): string {
    const template = this.settings.hypothesis_template;
    // split + join: String.replace would read "$&" in a label as an instruction.
    return template === undefined ? label : template.split("{}").join(label);
  }

  private async labelLogits(
    text: EncodedText,
    window: Window,
    labelIds: readonly (readonly number[])[],
    costs: readonly number[],
  ): Promise<number[]> {
    const ids = text.ids.slice(window.start, window.end);
    const found: number[] = [];
    for (const run of splitLabels(costs, ROW_LABEL_TOKENS)) {
      const { label_logits: logits } = await this.run(this.layout.withLabels(ids, labelIds.slice(run.start, run.end)));
      checkFinite(logits);
      found.push(...logits);
    }
    return found;
  }

  /** Combine windows, then score: competing labels by their mean, labels by themselves by their maximum. */
  private labelScores(windows: readonly number[][], labels: readonly string[], isMultiLabel: boolean): number[] {
    const temperature = temperatureOf(this.settings, isMultiLabel ? "multi_label" : "classify");
    const biases = biasesOf(this.settings, labels);
    const combined = labels.map((_, place) => {
      const logits = windows.map((window) => window[place]! / temperature);
      const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length;
      const isByItself = isMultiLabel || labels.length === 1;
      return (isByItself ? Math.max(...logits) : mean) + biases[place]!;
    });
    return isMultiLabel || labels.length === 1 ? combined.map(sigmoid) : softmax(combined);
  }

  private undecided(probabilities: readonly number[]): number {
    const neutral = this.roles.get("neutral");
    return neutral === undefined ? 1 - probabilities[this.roles.get("entailment")!]! : probabilities[neutral]!;
  }
}

function checkText(text: string, name: string): void {
  if (text.trim() === "") throw new Error(`${name} is blank; give it some words`);
}

function checkLabels(labels: readonly string[]): void {
  if (labels.length === 0) throw new Error("there are no labels; give at least one");
  labels.forEach((label) => checkText(label, "a label"));
  if (new Set(labels).size < labels.length) throw new Error("a label is given twice");
}

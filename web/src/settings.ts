/** What a model's folder says about it, in the shape that the tasks need. */

export interface ModelConfig {
  readonly model_type: string;
  readonly max_position_embeddings: number;
  readonly id2label: Readonly<Record<string, string>>;
}

/** labelwise.json: what the model's makers measured; each may be left out. */
export interface CheckpointSettings {
  readonly hypothesis_template?: string;
  readonly temperature?: number;
  readonly task_temperatures?: Partial<Record<ScoreKind, number>>;
  readonly thresholds?: Readonly<Record<string, number>>;
  readonly default_threshold?: number;
  readonly label_biases?: Readonly<Record<string, number>>;
  readonly null_threshold?: number;
}

export type ScoreKind = "classify" | "multi_label" | "entail";
export type Role = "entailment" | "contradiction" | "neutral" | "not_entailment";

const ROLE_OF_PREFIX: readonly (readonly [string, Role])[] = [
  ["not_entail", "not_entailment"],
  ["non_entail", "not_entailment"],
  ["no_entail", "not_entailment"],
  ["entail", "entailment"],
  ["contra", "contradiction"],
  ["neutral", "neutral"],
];
const GREATEST_WINDOW = 100_000;

export function temperatureOf(settings: CheckpointSettings, kind: ScoreKind): number {
  return settings.task_temperatures?.[kind] ?? settings.temperature ?? 1;
}

/** The least score at which a label is accepted by itself. */
export function thresholdOf(settings: CheckpointSettings, label: string): number {
  const own = settings.thresholds;
  return (own && Object.hasOwn(own, label) ? own[label] : undefined) ?? settings.default_threshold ?? 0.5;
}

/** What is added to each label's logit: nothing unless every one of these labels has a bias. */
export function biasesOf(settings: CheckpointSettings, labels: readonly string[]): number[] {
  const biases = settings.label_biases ?? {};
  const haveAll = labels.every((label) => Object.hasOwn(biases, label));
  return labels.map((label) => (haveAll ? biases[label]! : 0));
}

/** How many tokens one row may hold: the tokenizer's limit or the position table's, the smaller. */
export function windowTokens(config: ModelConfig, declared: number | undefined): number {
  const isSane = declared !== undefined && declared > 0 && declared < GREATEST_WINDOW;
  return isSane ? Math.min(declared, config.max_position_embeddings) : config.max_position_embeddings;
}

/** Role -> output of the entailment head, by the names in config.json. */
export function rolesOf(config: ModelConfig): ReadonlyMap<Role, number> {
  const roles = new Map<Role, number>();
  for (const [index, name] of Object.entries(config.id2label)) {
    const plain = name.toLowerCase().replaceAll(/[\s-]/g, "_");
    const role = ROLE_OF_PREFIX.find(([prefix]) => plain.startsWith(prefix))?.[1];
    if (role === undefined) throw new Error(`config.json: ${name} is no role of an entailment head`);
    roles.set(role, Number(index));
  }
  return roles;
}

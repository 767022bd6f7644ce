/** Ids -> one row for the model: a text with its labels, or two texts. */

export interface Row {
  readonly inputIds: readonly number[];
  /** 0: text, k: label k. A token sees the text and its own label. */
  readonly segmentIds: readonly number[];
  readonly tokenTypeIds: readonly number[];
  readonly positionIds: readonly number[];
  /** Where each label's vector is; [-1] for a row without labels. */
  readonly labelPositions: readonly number[];
}

type Ids = readonly number[];

/** [CLS] and the text's [SEP]. */
export const NUM_LABEL_ROW_TOKENS = 2;
/** [CLS] and two [SEP]. */
export const NUM_PAIR_ROW_TOKENS = 3;

export class Layout {
  constructor(
    private readonly cls: number,
    private readonly sep: number,
    readonly maxTokens: number,
  ) {}

  /** `[CLS] text [SEP]` once, then `label [SEP]` for each label, as if it alone followed the text. */
  withLabels(text: Ids, labels: readonly Ids[]): Row {
    const inputIds = [this.cls, ...text, this.sep];
    const start = inputIds.length;
    const segmentIds = new Array<number>(start).fill(0);
    const tokenTypeIds = new Array<number>(start).fill(0);
    const positionIds = Array.from({ length: start }, (_, place) => place);
    const labelPositions: number[] = [];
    labels.forEach((label, number) => {
      [...label, this.sep].forEach((id, place) => {
        inputIds.push(id);
        segmentIds.push(number + 1);
        tokenTypeIds.push(1);
        positionIds.push(start + place);
      });
      labelPositions.push(inputIds.length - 1);
    });
    this.check(Math.max(...positionIds) + 1);
    return { inputIds, segmentIds, tokenTypeIds, positionIds, labelPositions };
  }

  /** `[CLS] first [SEP] second [SEP]`. */
  pair(first: Ids, second: Ids): Row {
    const inputIds = [this.cls, ...first, this.sep, ...second, this.sep];
    this.check(inputIds.length);
    return {
      inputIds,
      segmentIds: inputIds.map(() => 0),
      tokenTypeIds: inputIds.map((_, place) => (place < this.secondStart(first.length) ? 0 : 1)),
      positionIds: inputIds.map((_, place) => place),
      labelPositions: [-1],
    };
  }

  secondStart(firstLength: number): number {
    return firstLength + 2;
  }

  private check(taken: number): void {
    if (taken > this.maxTokens) throw new Error(`the row takes ${taken} tokens, the model reads ${this.maxTokens}`);
  }
}

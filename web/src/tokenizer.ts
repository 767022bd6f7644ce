/** BERT's WordPiece as the tokenizers library runs it, with no way from text to a control id. */

/** A text's ids and where each came from: `starts[i]` to `ends[i]` in UTF-16 units, end exclusive. */
export interface EncodedText {
  readonly ids: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** The parts of a tokenizer.json that are read. */
export interface TokenizerFile {
  readonly normalizer: {
    readonly type: string;
    readonly clean_text: boolean;
    readonly handle_chinese_chars: boolean;
    readonly strip_accents: boolean | null;
    readonly lowercase: boolean;
  };
  readonly pre_tokenizer: { readonly type: string };
  readonly model: {
    readonly type: string;
    readonly unk_token: string;
    readonly continuing_subword_prefix: string;
    readonly max_input_chars_per_word: number;
    readonly vocab: Readonly<Record<string, number>>;
  };
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
}

interface Word {
  characters: string[];
  starts: number[];
  ends: number[];
}

type Range = readonly [first: number, last: number];

/** characters.json: how the tokenizers library sees characters, whatever Unicode the browser knows. */
export interface CharacterClasses {
  /** Left out of the text. */
  readonly dropped: readonly Range[];
  /** Left out once accents are stripped. */
  readonly marks: readonly Range[];
  /** Words of their own. */
  readonly punctuation: readonly Range[];
  /** Stay with the character before them when an answer is cut out. */
  readonly combining: readonly Range[];
}

const WHITE_SPACE = /[\t\n\r\p{White_Space}]/u;
const NOT_ENCODABLE = /[\0\ufffd\u{10ffff}\ud800-\udfff]/u;
// Blocks whose characters are words of their own; the odd 0x2b920 is the library's.
const CHINESE: readonly Range[] = [
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xf900, 0xfaff],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f],
  [0x2b920, 0x2ceaf],
  [0x2f800, 0x2fa1f],
];

export class Tokenizer {
  readonly cls: number;
  readonly sep: number;
  private readonly vocab: Map<string, number>;
  private readonly unknown: number;
  private readonly controlIds: ReadonlySet<number>;

  constructor(
    private readonly file: TokenizerFile,
    private readonly classes: CharacterClasses,
  ) {
    const { normalizer, pre_tokenizer: split, model } = file;
    if (normalizer.type !== "BertNormalizer" || split.type !== "BertPreTokenizer" || model.type !== "WordPiece") {
      throw new Error(`the tokenizer is ${normalizer.type} + ${split.type} + ${model.type}: only BERT's is known`);
    }
    this.vocab = new Map(Object.entries(model.vocab));
    this.cls = this.controlId("[CLS]");
    this.sep = this.controlId("[SEP]");
    this.unknown = this.controlId(model.unk_token);
    this.controlIds = new Set(file.added_tokens.map((token) => token.id).filter((id) => id !== this.unknown));
    // No text can spell a control token once the vocabulary does not hold its name.
    for (const token of file.added_tokens) this.vocab.delete(token.content);
  }

  encode(text: string): EncodedText {
    const ids: number[] = [];
    const starts: number[] = [];
    const ends: number[] = [];
    for (const word of this.words(text)) {
      for (const [id, first, last] of this.pieces(word.characters)) {
        if (this.controlIds.has(id)) throw new Error(`the tokenizer made control id ${id} from plain text`);
        ids.push(id);
        starts.push(word.starts[first]!);
        ends.push(word.ends[last]!);
      }
    }
    return { ids, starts, ends: withMarks(text, starts, ends, this.classes.combining) };
  }

  private controlId(name: string): number {
    const id = this.file.model.vocab[name];
    if (id === undefined) throw new Error(`the tokenizer has no ${name}`);
    return id;
  }

  /** Normalise, and split at white space, around punctuation and around Chinese characters. */
  private *words(text: string): Generator<Word> {
    let word: Word = { characters: [], starts: [], ends: [] };
    let start = 0;
    for (const character of text) {
      const end = start + character.length;
      for (const [piece, isAlone] of this.normalized(character)) {
        if (word.characters.length > 0 && (isAlone || piece === " ")) {
          yield word;
          word = { characters: [], starts: [], ends: [] };
        }
        if (piece === " ") continue;
        if (isAlone) {
          yield { characters: [piece], starts: [start], ends: [end] };
          continue;
        }
        word.characters.push(piece);
        word.starts.push(start);
        word.ends.push(end);
      }
      start = end;
    }
    if (word.characters.length > 0) yield word;
  }

  /** What becomes of one character: characters, each with whether it is a word by itself; " " ends a word. */
  private *normalized(character: string): Generator<readonly [string, boolean]> {
    const { clean_text: cleans, handle_chinese_chars: splitsChinese, lowercase, strip_accents } = this.file.normalizer;
    // First: a form feed is both, and is dropped.
    if (cleans && (NOT_ENCODABLE.test(character) || isOfAny(this.classes.dropped, character))) return;
    if (WHITE_SPACE.test(character)) {
      yield [" ", false];
      return;
    }
    const isChinese = splitsChinese && isOfAny(CHINESE, character);
    if (isChinese) yield [" ", false];
    const strips = strip_accents ?? lowercase;
    for (const part of strips ? character.normalize("NFD") : character) {
      if (strips && isOfAny(this.classes.marks, part)) continue;
      for (const final of lowercase ? part.toLowerCase() : part) {
        yield [final, isOfAny(this.classes.punctuation, final)];
      }
    }
    if (isChinese) yield [" ", false];
  }

  /** The longest known pieces of a word from the left: [id, first character, last character]. */
  private pieces(characters: readonly string[]): (readonly [number, number, number])[] {
    const { max_input_chars_per_word: most, continuing_subword_prefix: prefix } = this.file.model;
    const whole = [[this.unknown, 0, characters.length - 1]] as const;
    if (characters.length > most) return [...whole];
    const found: (readonly [number, number, number])[] = [];
    let start = 0;
    while (start < characters.length) {
      let end = characters.length;
      let id: number | undefined;
      for (; end > start; end--) {
        id = this.vocab.get((start > 0 ? prefix : "") + characters.slice(start, end).join(""));
        if (id !== undefined) break;
      }
      if (id === undefined) return [...whole];
      found.push([id, start, end - 1]);
      start = end;
    }
    return found;
  }
}

/** Find a character's code in ascending ranges. */
function isOfAny(ranges: readonly Range[], character: string): boolean {
  const code = character.codePointAt(0)!;
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle]![1] < code) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length && ranges[low]![0] <= code;
}

/** Give a letter the combining marks that its token lost; a mark that is a token of its own stays apart. */
function withMarks(
  text: string,
  starts: readonly number[],
  ends: readonly number[],
  combining: readonly Range[],
): number[] {
  return ends.map((end, place) => {
    let past = end;
    for (let next; (next = text.codePointAt(past)) !== undefined && isOfAny(combining, String.fromCodePoint(next)); ) {
      past += next > 0xffff ? 2 : 1;
    }
    return past <= (starts[place + 1] ?? text.length) ? past : end;
  });
}

import type { LocalPart, PreRelease, VersionNumber, VersionParts } from "./version-key.ts";
import { isWhitespace } from "./whitespace.ts";

/** The most digits of one number: as many as Python's `int` takes. */
const DIGITS_MAX = 4300;

/** So many digits are exact in a number, whatever they are. */
const EXACT_DIGITS = 15;

const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;

/**
 * Takes a version apart (PEP 440, with every spelling of its appendix B).
 *
 * @returns the parts, or the position in the text of what does not belong there
 */
export function scanVersion(text: string): VersionParts | number {
  return scanRelease(text) ?? new Scanner(text).scan();
}

/** Most versions: short numbers and single dots. Undefined: it is something else. */
function scanRelease(text: string): VersionParts | undefined {
  const release: number[] = [];
  const { length } = text;
  let value = 0;
  let digits = 0;
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code >= ZERO && code <= NINE) {
      value = value * 10 + (code - ZERO);
      digits += 1;
    } else if (code === DOT && digits > 0 && digits <= EXACT_DIGITS) {
      release.push(value);
      value = 0;
      digits = 0;
    } else {
      return undefined;
    }
  }
  if (digits === 0 || digits > EXACT_DIGITS) return undefined;
  release.push(value);
  return { epoch: 0, release, pre: undefined, post: undefined, dev: undefined, local: undefined };
}

/** Pre-release words, a longer one before those that it begins with. */
const PRE_WORDS: readonly (readonly [string, PreRelease["letter"]])[] = [
  ["alpha", "a"],
  ["a", "a"],
  ["beta", "b"],
  ["b", "b"],
  ["preview", "rc"],
  ["pre", "rc"],
  ["c", "rc"],
  ["rc", "rc"],
];

const POST_WORDS = ["post", "rev", "r"];

class Scanner {
  private index = 0;
  private readonly text: string;
  private readonly end: number;

  constructor(text: string) {
    this.text = text;
    let end = text.length;
    while (end > 0 && isWhitespace(text.charCodeAt(end - 1))) end -= 1;
    this.end = end;
  }

  scan(): VersionParts | number {
    while (this.index < this.end && isWhitespace(this.code())) this.index += 1;
    if (lower(this.code()) === 0x76) this.index += 1; // v
    let first = this.number();
    let epoch: VersionNumber = 0;
    if (first !== undefined && this.take(0x21)) {
      epoch = first;
      first = this.number();
    }
    if (first === undefined) return this.index;
    const release = this.release(first);
    const pre = this.pre();
    const post = this.post();
    const dev = this.dev();
    const local = this.local();
    if (this.index < this.end) return this.index;
    return { epoch, release, pre, post, dev, local };
  }

  private release(first: VersionNumber): VersionNumber[] {
    const release = [first];
    while (this.code() === DOT) {
      const start = this.index;
      this.index += 1;
      const number = this.number();
      if (number === undefined) {
        this.index = start;
        break;
      }
      release.push(number);
    }
    return release;
  }

  private pre(): PreRelease | undefined {
    const start = this.index;
    this.separator();
    for (const [word, letter] of PRE_WORDS) {
      if (this.word(word)) return { letter, number: this.suffixNumber() };
    }
    this.index = start;
    return undefined;
  }

  private post(): VersionNumber | undefined {
    const start = this.index;
    if (this.take(0x2d)) {
      const number = this.number();
      if (number !== undefined) return number;
      this.index = start;
    }
    this.separator();
    for (const word of POST_WORDS) {
      if (this.word(word)) return this.suffixNumber();
    }
    this.index = start;
    return undefined;
  }

  private dev(): VersionNumber | undefined {
    const start = this.index;
    this.separator();
    if (this.word("dev")) return this.suffixNumber();
    this.index = start;
    return undefined;
  }

  /** Leaves the position at whatever is wrong with it. */
  private local(): readonly LocalPart[] | undefined {
    if (!this.take(0x2b)) return undefined;
    const parts: LocalPart[] = [];
    do {
      const start = this.index;
      let digitsOnly = true;
      for (; isAlphanumeric(this.code()); this.index += 1) {
        if (this.code() > NINE) digitsOnly = false;
      }
      if (this.index === start) return this.fail();
      if (digitsOnly) {
        this.index = start;
        const number = this.number();
        if (number === undefined) return this.fail();
        parts.push(number);
      } else {
        parts.push(this.text.slice(start, this.index).toLowerCase());
      }
    } while (this.separator());
    return parts;
  }

  /** Makes sure that the whole is refused, at this position. */
  private fail(): undefined {
    if (this.index >= this.end) this.index = this.end - 1;
    return undefined;
  }

  private suffixNumber(): VersionNumber {
    this.separator();
    return this.number() ?? 0;
  }

  /** Takes digits; undefined when there are none, or absurdly many. */
  private number(): VersionNumber | undefined {
    const start = this.index;
    let value = 0;
    for (let code = this.code(); code >= ZERO && code <= NINE; code = this.code()) {
      value = value * 10 + (code - ZERO);
      this.index += 1;
    }
    const digits = this.index - start;
    if (digits > 0 && digits <= EXACT_DIGITS) return value;
    if (digits > 0 && digits <= DIGITS_MAX) {
      return exact(BigInt(this.text.slice(start, this.index)));
    }
    this.index = start;
    return undefined;
  }

  private separator(): boolean {
    const code = this.code();
    return (code === DOT || code === 0x2d || code === 0x5f) && this.take(code);
  }

  private word(word: string): boolean {
    if (this.index + word.length > this.end) return false;
    for (let offset = 0; offset < word.length; offset += 1) {
      const code = this.text.charCodeAt(this.index + offset);
      if (lower(code) !== word.charCodeAt(offset)) return false;
    }
    this.index += word.length;
    return true;
  }

  private take(code: number): boolean {
    if (this.code() !== code) return false;
    this.index += 1;
    return true;
  }

  /** Of the character at hand; -1 at the end. */
  private code(): number {
    return this.index < this.end ? this.text.charCodeAt(this.index) : -1;
  }
}

/** A number wherever that is exact. */
export function exact(value: bigint): VersionNumber {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** ASCII letters in lower case; other characters never become letters. */
function lower(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code + 0x20 : code;
}

function isAlphanumeric(code: number): boolean {
  const letter = lower(code);
  return (code >= ZERO && code <= NINE) || (letter >= 0x61 && letter <= 0x7a);
}

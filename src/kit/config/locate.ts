/**
 * Where each key and value of a TOML text stands. The parser says what a file holds, not where; a
 * message about a setting has to name its line. Made for text that smol-toml has accepted: it
 * follows the structure and checks nothing. Pure.
 */

/** Keys of tables and positions in arrays, from the top down. */
export type KeyPath = readonly (string | number)[];

/** Half-open range of UTF-16 units in the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where one path stands. A header has no value of its own, an array element no key. */
export interface TomlPlace {
  readonly key?: Span;
  readonly value?: Span;
}

/** A place for people: both count from 1. */
export interface LineColumn {
  readonly line: number;
  readonly column: number;
}

/** The places of one TOML text. */
export interface TomlPlaces {
  /** The path's first place, or undefined when the text does not hold it. */
  find(path: KeyPath): TomlPlace | undefined;
  /** All paths that have a place, in the order of the text. */
  paths(): KeyPath[];
}

/** Finds every key, header and array element of the text. Never throws. */
export function locateToml(text: string): TomlPlaces {
  const places = new Map<string, { path: KeyPath; place: TomlPlace }>();
  new Scanner(text, (path, place) => {
    const id = JSON.stringify(path);
    if (!places.has(id)) places.set(id, { path: [...path], place });
  }).run();
  return {
    find: (path) => places.get(JSON.stringify(path))?.place,
    paths: () => [...places.values()].map((entry) => entry.path),
  };
}

/** Line and column of an offset. */
export function lineColumnOf(text: string, offset: number): LineColumn {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  const line = before.split("\n").length;
  return { line, column: offset - lineStart + 1 };
}

type Report = (path: KeyPath, place: TomlPlace) => void;
interface KeySegment extends Span {
  readonly name: string;
}

class Scanner {
  readonly #text: string;
  readonly #report: Report;
  /** Elements so far of each array of tables, by the path of the array. */
  readonly #tableCounts = new Map<string, number>();
  #at = 0;

  constructor(text: string, report: Report) {
    this.#text = text;
    this.#report = report;
  }

  run(): void {
    let table: KeyPath = [];
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      if (this.#text[this.#at] === "[") table = this.#readHeader();
      else this.#readPair(table);
    }
  }

  /** `[a.b]` or `[[a.b]]`: the path of the table that follows. */
  #readHeader(): KeyPath {
    const isArray = this.#text[this.#at + 1] === "[";
    this.#at += isArray ? 2 : 1;
    const segments = this.#readKey();
    this.#at += isArray ? 2 : 1;
    let path: KeyPath = [];
    for (const [index, segment] of segments.entries()) {
      path = [...path, segment.name];
      this.#report(path, { key: segment });
      const id = JSON.stringify(path);
      const count = this.#tableCounts.get(id) ?? 0;
      if (isArray && index === segments.length - 1) {
        this.#tableCounts.set(id, count + 1);
        path = [...path, count];
        this.#report(path, { key: segment });
      } else if (count > 0) {
        path = [...path, count - 1]; // within the array's last table
      }
    }
    return path;
  }

  /** `a.b = value`; stands after it. */
  #readPair(table: KeyPath): void {
    const segments = this.#readKey();
    this.#at += 1; // "="
    this.#skipBlank();
    let path = table;
    for (const segment of segments.slice(0, -1)) {
      path = [...path, segment.name];
      this.#report(path, { key: segment });
    }
    const last = segments.at(-1);
    if (last === undefined) return;
    this.#readValue([...path, last.name], last);
  }

  #readKey(): KeySegment[] {
    const segments: KeySegment[] = [];
    for (;;) {
      this.#skipBlank();
      const start = this.#at;
      const quote = this.#text[start];
      const quoted = quote === '"' || quote === "'";
      if (quoted) this.#skipString();
      else this.#skipWhile(/[^\s.=\]#]/);
      if (this.#at === start) this.#at += 1; // no TOML: go on rather than round in circles
      const raw = this.#text.slice(start, this.#at);
      const name = quote === '"' ? unescapeKey(raw) : quoted ? raw.slice(1, -1) : raw;
      segments.push({ name, start, end: this.#at });
      this.#skipBlank();
      if (this.#text[this.#at] !== ".") return segments;
      this.#at += 1;
    }
  }

  #readValue(path: KeyPath, key?: Span): void {
    const start = this.#at;
    const first = this.#text[start];
    // What holds others is reported before them, and before its end is known.
    const value = { start, end: start };
    this.#report(path, key === undefined ? { value } : { key, value });
    if (first === "[") this.#readList(path, "]");
    else if (first === "{") this.#readList(path, "}");
    else if (first === '"' || first === "'") this.#skipString();
    else this.#skipWhile(/[^,\]}#\r\n]/);
    value.end = start + this.#text.slice(start, this.#at).trimEnd().length;
  }

  /** The inside of an array or of an inline table, from its bracket to behind the closing one. */
  #readList(path: KeyPath, close: "]" | "}"): void {
    this.#at += 1;
    for (let index = 0; this.#at < this.#text.length; index += 1) {
      this.#skipBlank();
      if (this.#text[this.#at] !== close) {
        if (close === "]") this.#readValue([...path, index]);
        else this.#readPair(path);
        this.#skipBlank();
      }
      const ends = this.#text[this.#at] === close;
      this.#at += 1;
      if (ends) return;
    }
  }

  /** Spaces, line ends and comments. */
  #skipBlank(): void {
    for (;;) {
      this.#skipWhile(/[\s\uFEFF]/);
      if (this.#text[this.#at] !== "#") return;
      this.#skipWhile(/[^\n]/);
    }
  }

  /** A string of any of the four kinds. */
  #skipString(): void {
    const quote = this.#text[this.#at] ?? "";
    const triple = quote.repeat(3);
    const delimiter = this.#text.startsWith(triple, this.#at) ? triple : quote;
    this.#at += delimiter.length;
    while (this.#at < this.#text.length && !this.#text.startsWith(delimiter, this.#at)) {
      this.#at += quote === '"' && this.#text[this.#at] === "\\" ? 2 : 1;
    }
    this.#at += delimiter.length;
    // Up to two quotes may stand before the closing three: they belong to the string.
    while (delimiter === triple && this.#text[this.#at] === quote) this.#at += 1;
  }

  #skipWhile(wanted: RegExp): void {
    while (this.#at < this.#text.length && wanted.test(this.#text[this.#at] ?? "")) this.#at += 1;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  e: "\u001b",
};

/** The text of a quoted key: `"a\u00e9"` → `aé`. */
function unescapeKey(raw: string): string {
  return raw
    .slice(1, -1)
    .replace(
      /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gs,
      (_, x: string, u: string, long: string, one: string) =>
        one === undefined
          ? String.fromCodePoint(Number.parseInt(x ?? u ?? long, 16))
          : (ESCAPES[one] ?? one),
    );
}

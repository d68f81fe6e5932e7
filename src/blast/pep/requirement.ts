/**
 * Dependency specifiers (PEP 508): what is required of a package, and where.
 *
 * @see https://packaging.python.org/en/latest/specifications/dependency-specifiers/
 */
import { type Marker, markerToString, parseMarkerWithin } from "./marker.ts";
import { type ExtraName, type PackageName, parseExtraName, parsePackageName } from "./name.ts";
import { CLAUSE } from "./requirement-clause.ts";
import { parseSpecifierSet, type SpecifierSet } from "./specifier.ts";
import { syntaxFailure } from "./syntax-failure.ts";

/** `name[extra]>=1; marker` or `name @ url ; marker`. */
export interface Requirement {
  readonly name: PackageName;
  /** Sorted, each once. */
  readonly extras: readonly ExtraName[];
  /** Empty where a URL stands. Read when it is first asked for. */
  readonly specifier: SpecifierSet;
  readonly url?: string | undefined;
  readonly marker?: Marker | undefined;
}

const NAME = /[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?/y;
const NO_EXTRAS: readonly ExtraName[] = [];

/** Specifiers repeat, though less than markers do. */
const SPECIFIERS_MAX = 20_000;
const specifiers = new Map<string, SpecifierSet>();

/**
 * Reads one requirement, without line ends or comments around it. Accepts what the `packaging`
 * library accepts, but for names that end in `_` (PEP 508 knows none).
 *
 * @throws PepError that tells where and what was expected
 */
export function parseRequirement(text: string): Requirement {
  return new RequirementParser(text).requirement();
}

/** As `packaging` writes it, with names in their normal form. */
export function requirementToString(requirement: Requirement): string {
  const { name, extras, url, marker } = requirement;
  const chosen = extras.length === 0 ? "" : `[${extras.join(",")}]`;
  const where = url === undefined ? requirement.specifier.toString() : ` @ ${url}`;
  if (marker === undefined) return `${name}${chosen}${where}`;
  // A semicolon can be part of a URL: only a space parts the two.
  const space = url === undefined ? "" : " ";
  return `${name}${chosen}${where}${space}; ${markerToString(marker)}`;
}

class LazyRequirement implements Requirement {
  readonly name: PackageName;
  readonly extras: readonly ExtraName[];
  readonly url: string | undefined;
  readonly marker: Marker | undefined;
  #specifier: SpecifierSet | string;

  constructor(
    name: PackageName,
    extras: readonly ExtraName[],
    at: { readonly specifier: string; readonly url?: string | undefined },
    marker: Marker | undefined,
  ) {
    this.name = name;
    this.extras = extras;
    this.#specifier = at.specifier;
    this.url = at.url;
    this.marker = marker;
  }

  get specifier(): SpecifierSet {
    if (typeof this.#specifier === "string") this.#specifier = readSpecifiers(this.#specifier);
    return this.#specifier;
  }
}

class RequirementParser {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  requirement(): Requirement {
    this.#blank();
    const name = parsePackageName(this.#name("a package name"));
    this.#blank();
    const extras = this.#letter() === "[" ? this.#extras() : NO_EXTRAS;
    this.#blank();
    if (this.#letter() === "@") return this.#withUrl(name, extras);
    const specifier = this.#specifier();
    this.#blank();
    const expected =
      specifier === ""
        ? 'a version such as >=1.0, "@", "[", ";" or the end'
        : '",", ";" or the end';
    return new LazyRequirement(name, extras, { specifier }, this.#marker(expected));
  }

  #withUrl(name: PackageName, extras: readonly ExtraName[]): Requirement {
    this.#position += 1;
    this.#blank();
    const start = this.#position;
    const length = this.#text.slice(start).search(/[ \t]|$/);
    if (length === 0) throw this.#failure('a URL after "@"');
    this.#position += length;
    const url = this.#text.slice(start, this.#position);
    this.#blank();
    const marker = this.#marker('";" after the URL and a space');
    return new LazyRequirement(name, extras, { specifier: "", url }, marker);
  }

  #extras(): readonly ExtraName[] {
    this.#position += 1;
    this.#blank();
    const found = new Set<ExtraName>();
    if (this.#letter() !== "]") {
      for (;;) {
        found.add(parseExtraName(this.#name("the name of an extra")));
        this.#blank();
        if (this.#letter() !== ",") break;
        this.#position += 1;
        this.#blank();
      }
    }
    if (this.#letter() !== "]") throw this.#failure('"," or "]"');
    this.#position += 1;
    return [...found].sort();
  }

  #specifier(): string {
    const open = this.#letter() === "(";
    if (open) {
      this.#position += 1;
      this.#blank();
    }
    const start = this.#position;
    const end = this.#clauses();
    if (open) {
      this.#blank();
      if (this.#letter() !== ")") throw this.#failure('",", ")" or a version such as >=1.0');
      this.#position += 1;
    }
    const specifier = this.#text.slice(start, end);
    // What follows === is any text, so it can hold what only the whole shows to be wrong.
    if (specifier.includes("===")) readSpecifiers(specifier);
    return specifier;
  }

  /** Moves behind the clauses and the commas between and after them. */
  #clauses(): number {
    let end = this.#position;
    for (;;) {
      // Most requirements have no clause: they never make the expression ready for use.
      if (!"<>=!~".includes(this.#letter() || " ")) return end;
      CLAUSE.lastIndex = this.#position;
      if (!CLAUSE.test(this.#text)) return end;
      end = CLAUSE.lastIndex;
      this.#position = end;
      if (this.#text.startsWith(".*", end)) {
        throw this.#failure('no ".*": it goes with == and != and a plain release only');
      }
      if (this.#letter() === "+") {
        throw this.#failure("no local version: it goes with == and != only");
      }
      this.#blank();
      if (this.#letter() !== ",") return end;
      this.#position += 1;
      this.#blank();
    }
  }

  /** @param expected for the message, when something else than a marker or the end comes */
  #marker(expected: string): Marker | undefined {
    if (this.#position === this.#text.length) return undefined;
    if (this.#letter() !== ";") throw this.#failure(expected);
    return parseMarkerWithin(this.#text, this.#position + 1);
  }

  #name(expected: string): string {
    NAME.lastIndex = this.#position;
    const name = NAME.exec(this.#text)?.[0];
    if (name === undefined) throw this.#failure(expected);
    this.#position += name.length;
    return name;
  }

  #letter(): string | undefined {
    return this.#text[this.#position];
  }

  #blank(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#position);
      if (code !== 0x20 && code !== 0x09) return;
      this.#position += 1;
    }
  }

  #failure(expected: string): Error {
    return syntaxFailure("requirement", this.#text, this.#position, expected);
  }
}

function readSpecifiers(text: string): SpecifierSet {
  const known = specifiers.get(text);
  if (known !== undefined) return known;
  const set = parseSpecifierSet(text);
  if (specifiers.size >= SPECIFIERS_MAX) specifiers.clear();
  specifiers.set(text, set);
  return set;
}

import { PepError, quote } from "./error.ts";
import type { LocalPart, PreRelease, VersionNumber, VersionParts } from "./version-key.ts";
import { versionKey, versionRank } from "./version-key.ts";
import { scanVersion } from "./version-scan.ts";

/**
 * A version as PEP 440 defines it. Its text is normalised, except that zeros at the end of the
 * release stay as they were written; 1.0 and 1.0.0 are equal versions with different texts.
 */
export class Version implements VersionParts {
  readonly epoch: VersionNumber;
  readonly release: readonly VersionNumber[];
  readonly pre: PreRelease | undefined;
  readonly post: VersionNumber | undefined;
  readonly dev: VersionNumber | undefined;
  readonly local: readonly LocalPart[] | undefined;
  /** Orders versions coarsely: see version-key.ts. */
  readonly rank: number;
  #key: string | undefined = undefined;
  #text: string | undefined = undefined;

  /** Of parts that are in normal form: {@link parseVersion} is the way from text. */
  constructor(parts: VersionParts) {
    this.epoch = parts.epoch;
    this.release = parts.release;
    this.pre = parts.pre;
    this.post = parts.post;
    this.dev = parts.dev;
    this.local = parts.local;
    this.rank = versionRank(parts);
  }

  /** Equal for equal versions, and only for them; keys are ordered as their versions are. */
  get key(): string {
    this.#key ??= versionKey(this);
    return this.#key;
  }

  /** An alpha, beta, release candidate or development release. */
  get isPrerelease(): boolean {
    return this.pre !== undefined || this.dev !== undefined;
  }

  get isPostrelease(): boolean {
    return this.post !== undefined;
  }

  get isDevrelease(): boolean {
    return this.dev !== undefined;
  }

  /** Epoch and release only, with zeros as written: 1.0 of 1.0rc1.post2+cpu. */
  get base(): Version {
    const { epoch, release, isPrerelease, post, local } = this;
    if (!isPrerelease && post === undefined && local === undefined) return this;
    return new Version({ epoch, release, ...BARE });
  }

  /** Without the local part. */
  get public(): Version {
    return this.local === undefined ? this : this.with({ local: undefined });
  }

  /** The same version with other parts. */
  with(parts: Partial<VersionParts>): Version {
    const { epoch, release, pre, post, dev, local } = this;
    return new Version({ epoch, release, pre, post, dev, local, ...parts });
  }

  /** The normalised text. */
  toString(): string {
    this.#text ??= versionText(this);
    return this.#text;
  }

  /** As text: `--json` prints versions so. */
  toJSON(): string {
    return this.toString();
  }
}

/**
 * Reads a version in any of the spellings of PEP 440; white space around it is left out.
 *
 * @throws PepError when it is no version
 */
export function parseVersion(text: string): Version {
  const parts = scanVersion(text);
  if (typeof parts !== "number") return new Version(parts);
  throw new PepError(`Cannot read version ${quote(text)}: ${complaint(text, parts)}`, parts);
}

/** As {@link parseVersion}; undefined when it is no version. */
export function tryParseVersion(text: string): Version | undefined {
  const parts = scanVersion(text);
  return typeof parts === "number" ? undefined : new Version(parts);
}

/** Negative, zero or positive: the order of PEP 440, locals included. */
export function compareVersions(left: Version, right: Version): number {
  if (left.rank !== right.rank) return left.rank < right.rank ? -1 : 1;
  if (left === right) return 0;
  const leftKey = left.key;
  const rightKey = right.key;
  if (leftKey === rightKey) return 0;
  return leftKey < rightKey ? -1 : 1;
}

const BARE = { pre: undefined, post: undefined, dev: undefined, local: undefined } as const;

function versionText(version: Version): string {
  const { epoch, release, pre, post, dev, local } = version;
  let text = epoch === 0 ? "" : `${epoch}!`;
  text += release.length === 1 ? String(release[0]) : release.join(".");
  if (pre !== undefined) text += pre.letter + String(pre.number);
  if (post !== undefined) text += `.post${post}`;
  if (dev !== undefined) text += `.dev${dev}`;
  if (local !== undefined) text += `+${local.join(".")}`;
  return text;
}

function complaint(text: string, position: number): string {
  const character = String.fromCodePoint(text.codePointAt(position) ?? 0);
  if (position >= text.length || character.trim() === "") {
    return text.trim() === "" ? "it is empty" : "it ends too early";
  }
  return `${quote(character)} at position ${position + 1} does not belong there`;
}

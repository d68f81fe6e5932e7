/**
 * The order of PEP 440 as the order of strings and of numbers.
 *
 * A version's key is a string of ASCII such that keys compare (by `<`) as the versions do, and are
 * equal where the versions are. It is made of: the epoch; the release without trailing zeros; one
 * character for the stage; the numbers of that stage; and the local part. The characters that end
 * a part sort below those that go on, so that a shorter version comes first where it must:
 *
 *     ! (cuts only)  # dev  $ a  % b  & rc  ' final or none  ( post  + local  0-9 A-Z numbers  ~
 *
 * Numbers keep their order by a first character that tells how many digits follow. 1.26.4 has the
 * key `01A264''`; 1.0rc1.post2.dev3 has `01&1(2#3`.
 *
 * The rank is a number that never contradicts the order of keys, but may be equal for different
 * versions: most comparisons end with it.
 */

/** A number of a version: a bigint only where a number would not be exact. */
export type VersionNumber = number | bigint;

/** One part of a local version: text in lower case, or a number. */
export type LocalPart = string | VersionNumber;

/** A pre-release segment: alpha, beta or release candidate, and its number. */
export interface PreRelease {
  readonly letter: "a" | "b" | "rc";
  readonly number: VersionNumber;
}

/** What a version consists of (PEP 440). */
export interface VersionParts {
  readonly epoch: VersionNumber;
  /** At least one number; trailing zeros are kept as written. */
  readonly release: readonly VersionNumber[];
  readonly pre: PreRelease | undefined;
  readonly post: VersionNumber | undefined;
  readonly dev: VersionNumber | undefined;
  readonly local: readonly LocalPart[] | undefined;
}

/** The rank of every version with an epoch: above all those without. */
const RANK_EPOCH = 2 ** 52;

/** Sizes of the fields of a rank: three numbers of the release, a fourth one, the stage. */
const MAJOR = 2 ** 14;
const FOURTH = 2 ** 7;
const STAGE = 2 ** 3;

/** The rank's stage of a release with a fifth number: above the stages of those without. */
const STAGE_LONGER = 7;

/** The rank's stage of what has post-releases; also of the point above all of them. */
export const STAGE_POST = 5;

/** The key of the lowest version there is, 0.dev0. */
export const LOWEST_KEY = "0#0";

/** Between the version that it is appended to and everything that follows it, locals included. */
export const ABOVE_SUFFIX = "!";

/** Above everything that begins with the key that it is appended to. */
export const BEYOND_SUFFIX = "~";

/** The key by which versions are ordered and told apart. */
export function versionKey(parts: VersionParts): string {
  const { pre, post, dev, local } = parts;
  let key = releaseKey(parts);
  if (pre === undefined && post === undefined && dev !== undefined) {
    key += `#${numberKey(dev)}`;
  } else {
    key += pre === undefined ? "'" : `${preKey(pre.letter)}${numberKey(pre.number)}`;
    if (post !== undefined) key += `(${numberKey(post)}`;
    key += dev === undefined ? "'" : `#${numberKey(dev)}`;
  }
  return local === undefined ? key : key + localKey(local);
}

/** The part of the key that all versions of a release share, with its pre-releases and posts. */
export function releaseKey({ epoch, release }: Pick<VersionParts, "epoch" | "release">): string {
  let key = numberKey(epoch);
  let length = release.length;
  while (length > 0 && isZero(release[length - 1])) length -= 1;
  for (let index = 0; index < length; index += 1) key += numberKey(release[index] ?? 0);
  return key;
}

/** The key of a release's final version and post-releases, without what tells those apart. */
export function finalStageKey(parts: VersionParts): string {
  return `${releaseKey(parts)}'`;
}

/** A number that orders versions coarsely; equal ranks need the keys. */
export function versionRank(parts: VersionParts): number {
  return rankOf(parts, stageRank(parts));
}

/** As {@link versionRank}, for another stage of the same release. */
export function rankOf({ epoch, release }: VersionParts, stage: number): number {
  if (epoch !== 0) return RANK_EPOCH;
  const length = release.length;
  let rank = 0;
  for (let index = 0; index < 3; index += 1) {
    const number = index < length ? (release[index] as VersionNumber) : 0;
    // What does not fit is cut off, with all that follows: still in order, but not exact.
    if (number >= MAJOR - 1) return (rank * MAJOR + MAJOR - 1) * lowerFields(index);
    rank = rank * MAJOR + (number as number);
  }
  const fourth = length > 3 ? (release[3] as VersionNumber) : 0;
  if (fourth >= FOURTH - 1) return (rank * FOURTH + FOURTH - 1) * STAGE;
  rank = (rank * FOURTH + (fourth as number)) * STAGE;
  for (let index = 4; index < length; index += 1) {
    if (!isZero(release[index])) return rank + STAGE_LONGER;
  }
  return rank + stage;
}

/** How far the fields below the one of this index reach. */
function lowerFields(index: number): number {
  return MAJOR ** (2 - index) * FOURTH * STAGE;
}

function stageRank({ pre, post, dev }: VersionParts): number {
  if (pre !== undefined) return pre.letter === "a" ? 1 : pre.letter === "b" ? 2 : 3;
  if (post !== undefined) return STAGE_POST;
  return dev === undefined ? 4 : 0;
}

function preKey(letter: PreRelease["letter"]): string {
  return letter === "a" ? "$" : letter === "b" ? "%" : "&";
}

function localKey(local: readonly LocalPart[]): string {
  let key = "+";
  for (const part of local) {
    // Text sorts below numbers; "!" ends it, below every letter and digit.
    key += typeof part === "string" ? `,${part}!` : `-${numberKey(part)}`;
  }
  return key;
}

function isZero(number: VersionNumber | undefined): boolean {
  return number === 0;
}

function numberKey(number: VersionNumber): string {
  if (number < 10) return SINGLE[number as number] as string;
  return digitsKey(String(number));
}

const SINGLE = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/** A is for two digits, Y for 26; beyond that, Z and the count of digits, itself as a number. */
function digitsKey(digits: string): string {
  const { length } = digits;
  if (length <= 26) return String.fromCharCode(0x3f + length) + digits;
  return `Z${numberKey(length)}${digits}`;
}

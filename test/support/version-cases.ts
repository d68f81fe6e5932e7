/** Versions, specifiers and file names, common and odd ones, by a seed. */

/** A source of numbers that a seed repeats. */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** A whole number from 0 to below the limit (mulberry32). */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** True once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}

const HUGE = ["9007199254740991", "9007199254740992", "9007199254740993", `1${"0".repeat(30)}`];
const PRE_WORDS = ["a", "b", "rc", "c", "alpha", "beta", "pre", "preview", "A", "RC", "Beta"];
const POST_WORDS = ["post", "rev", "r", "POST"];
const LOCALS = ["1", "0", "10", "a", "b", "ab", "ubuntu", "Cpu", "007", "g3f", "3f", "a0", HUGE[1]];
const SPACES = [" ", "  ", "\t", "\n", "\u00a0", "\u2003", "\u001c", "\u0085"];

function number(dice: Dice): string {
  if (dice.once(40)) return dice.pick(HUGE);
  if (dice.once(12)) return String(dice.pick([2024, 16382, 16383, 16384, 126, 127, 128, 20240101]));
  if (dice.once(15)) return `0${dice.below(12)}`;
  return String(dice.below(dice.once(3) ? 30 : 4));
}

function numberOrNone(dice: Dice): string {
  return dice.once(5) ? "" : number(dice);
}

/** Numbers with dots, mostly two or three. */
export function release(dice: Dice): string {
  const length = dice.pick([1, 2, 2, 2, 3, 3, 3, 4, 5, 6]);
  return Array.from({ length }, () => number(dice)).join(".");
}

/** A version without epoch, local part or v, in one of its spellings. */
export function suffix(dice: Dice): string {
  const separator = () => dice.pick(["", "", ".", "-", "_"]);
  let text = "";
  if (dice.once(3)) text += separator() + dice.pick(PRE_WORDS) + separator() + numberOrNone(dice);
  if (dice.once(4)) {
    text += dice.once(4)
      ? `-${number(dice)}`
      : separator() + dice.pick(POST_WORDS) + separator() + numberOrNone(dice);
  }
  if (dice.once(4)) text += `${separator()}${dice.pick(["dev", "DEV"])}${numberOrNone(dice)}`;
  return text;
}

/** A version in any spelling; all are valid. */
export function version(dice: Dice): string {
  let text = dice.once(20) ? "v" : "";
  if (dice.once(12)) text += `${number(dice)}!`;
  text += release(dice) + suffix(dice);
  if (dice.once(5)) text += `+${local(dice)}`;
  if (dice.once(15)) text = dice.pick(SPACES) + text + dice.pick(SPACES);
  return text;
}

function local(dice: Dice): string {
  const length = dice.pick([1, 1, 2, 3]);
  const parts = Array.from({ length }, () => dice.pick(LOCALS));
  return parts.join(dice.pick([".", "-", "_"]));
}

const ALPHABET = [..."0123459.....---__++!!abcrvRepostdev*<>=~, \t\u0661\u017f\u00e9"];

/** Text that is nearly a version, or not at all. */
export function mutated(dice: Dice, text: string): string {
  const characters = [...text];
  for (let change = 0; change <= dice.below(3); change += 1) {
    const at = dice.below(characters.length + 1);
    const kind = dice.below(3);
    if (kind === 0) characters.splice(at, 1);
    else characters.splice(at, kind - 1, dice.pick(ALPHABET));
  }
  return characters.join("");
}

/** Versions around a given one: those that a comparison with it must tell apart. */
export function neighbours(text: string): string[] {
  const trimmed = text.trim();
  const [, head = "", base = "0"] = /^(v?(?:\d+!)?)(\d+(?:\.\d+)*)/i.exec(trimmed) ?? [];
  const numbers = base.split(".");
  const bumped = (index: number, by: bigint) =>
    numbers.map((part, at) => (at === index ? BigInt(part) + by : part)).join(".");
  const last = numbers.length - 1;
  const suffixes = ["", ".dev0", ".dev1", "a0", "a0.dev0", "a1", "rc1", "rc1.post0", "+a", "+0"];
  suffixes.push(".post0", ".post0.dev0", ".post0.dev1", ".post1", ".post1.dev0", ".post2");
  suffixes.push(".0", ".0.0", ".0.1", ".0.1.dev0", ".post0+a", ".dev0+a", "a0+a", "+a.0", "+1.0");
  const near = [base, bumped(last, 1n), bumped(Math.max(0, last - 1), 1n)];
  if (numbers[last] !== "0" && BigInt(numbers[last] ?? 0) > 0n) near.push(bumped(last, -1n));
  const whole = trimmed.replace(/\+.*$/s, "");
  const own = ["", "+a", "+z.9", ".dev0", ".post0", ".post0.dev0", "+0"].map((end) => whole + end);
  return [trimmed, ...own, ...near.flatMap((item) => suffixes.map((end) => head + item + end))];
}

const OPERATORS = ["==", "==", "!=", "!=", ">=", ">=", "<=", "<", "<", ">", ">", "~=", "==="];

/** One comparison, nearly always a valid one. */
export function specifier(dice: Dice): string {
  const operator = dice.pick(OPERATORS);
  const space = () => (dice.once(8) ? dice.pick(SPACES) : "");
  const equality = operator === "==" || operator === "!=";
  if (equality && dice.once(3)) return `${operator}${space()}${epoch(dice)}${release(dice)}.*`;
  const start = operator === "~=" ? `${number(dice)}.${release(dice)}` : release(dice);
  let text = operator + space() + epoch(dice) + start + suffix(dice);
  if ((equality && dice.once(4)) || dice.once(60)) text += `+${local(dice)}`;
  if (operator === "===" && dice.once(4)) text = `===${dice.pick(["foo", "1.0-x", "v1.0", ""])}`;
  return space() + text + space();
}

function epoch(dice: Dice): string {
  return dice.once(15) ? `${dice.below(3)}!` : dice.once(20) ? "v" : "";
}

/** Comparisons with commas between them. */
export function specifierSet(dice: Dice): string {
  const length = dice.pick([0, 1, 1, 1, 1, 2, 2, 2, 3, 4]);
  const text = Array.from({ length }, () => specifier(dice)).join(",");
  return dice.once(20) ? `,${text},,` : text;
}

const NAMES = ["foo", "Foo_Bar", "foo.bar", "a", "zope.interface", "x--y", "_foo", "f\u00fc", "0x"];
const PYTHONS = ["py3", "py2.py3", "cp312", "cp39.cp310", "pp310", "CP37", "3py", "py-3", "\u00e9"];
const ABIS = ["none", "abi3", "cp312", "cp312.abi3", "NONE", "pypy310_pp73", ""];
const PLATFORMS = ["any", "linux_x86_64", "win_amd64", "manylinux1_x86_64.manylinux_2_5_x86_64"];
const BUILDS = ["1", "007", "1a", "20240101_g3f", "a1", "", "12abc.d"];

/** The name of a wheel, or nearly one. */
export function wheelName(dice: Dice): string {
  const parts = [dice.pick(NAMES).replaceAll("-", "_"), version(dice).trim().replace(/-/g, "_")];
  if (dice.once(4)) parts.push(dice.pick(BUILDS));
  parts.push(dice.pick(PYTHONS), dice.pick(ABIS), dice.pick(PLATFORMS));
  const text = `${parts.join("-")}.whl`;
  return dice.once(6) ? mutated(dice, text) : text;
}

/** The name of a source distribution, or nearly one. */
export function sdistName(dice: Dice): string {
  const extension = dice.pick([".tar.gz", ".tar.gz", ".tar.gz", ".zip", ".tgz", ".tar.bz2", ""]);
  const text = `${dice.pick(NAMES)}-${version(dice).trim()}${extension}`;
  return dice.once(6) ? mutated(dice, text) : text;
}

/** A project's name, or nearly one. */
export function projectName(dice: Dice): string {
  const text = dice.pick(NAMES) + dice.pick(["", "-x", "..y", "_-.z", "9", "-"]);
  return dice.once(4) ? mutated(dice, text) : text;
}

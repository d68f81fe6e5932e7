import { PepError, quote } from "./error.ts";
import type { PlatformFacts } from "./platform-tags.ts";
import { platformTags } from "./platform-tags.ts";
import type { OldestSystem } from "./target-platform.ts";
import { targetFacts } from "./target-platform.ts";

/** What a wheel was built for (PEP 425), in lower case. */
export interface WheelTag {
  /** `cp312`, `py3`. */
  readonly python: string;
  /** `cp312`, `abi3`, `none`. */
  readonly abi: string;
  /** `manylinux_2_17_x86_64`, `any`. */
  readonly platform: string;
}

/** What the tags of an interpreter follow from; one `python -I -S -c` can tell all of it. */
export interface InterpreterTags extends PlatformFacts {
  /** `sys.implementation.name`: `cpython`, `pypy`. */
  readonly implementation: string;
  /** `sys.version_info[:2]`. */
  readonly version: readonly [major: number, minor: number];
  /** `EXT_SUFFIX` of sysconfig: the ABI of what is no CPython. */
  readonly extSuffix?: string | undefined;
  /** `Py_DEBUG` of sysconfig or, where that is not set, `sys.gettotalrefcount`. */
  readonly debug?: boolean | undefined;
  /** `Py_GIL_DISABLED` of sysconfig. */
  readonly freeThreaded?: boolean | undefined;
  /** `WITH_PYMALLOC` of sysconfig, where it is set; matters before Python 3.8. */
  readonly pymalloc?: boolean | undefined;
}

/** More combinations than this in one tag are refused: real ones have a few dozen. */
const COMBINATIONS_MAX = 4096;

/** Texts whose triples are kept: the wheels of a project share a few dozen. */
const KEPT_MAX = 4096;
const KEPT_LENGTH_MAX = 500;

const kept = new Map<string, readonly WheelTag[]>();

/**
 * Every combination of a compressed tag set: `py2.py3-none-any` is two (PEP 425).
 *
 * @throws PepError when there are not three parts, one is empty, or it is absurdly large
 */
export function parseTagTriples(text: string): readonly WheelTag[] {
  const known = kept.get(text);
  if (known !== undefined) return known;
  const triples = makeTriples(text);
  if (text.length > KEPT_LENGTH_MAX) return triples;
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(text, triples);
  return triples;
}

function makeTriples(text: string): WheelTag[] {
  const parts = text.split("-").map((part) => part.toLowerCase().split("."));
  const [pythons, abis, platforms] = parts;
  if (pythons === undefined || abis === undefined || platforms === undefined || parts.length > 3) {
    throw new PepError(`Cannot read tag ${quote(text)}: it must have three parts with "-" between`);
  }
  if (parts.some((part) => part.includes(""))) {
    throw new PepError(`Cannot read tag ${quote(text)}: a part of it is empty`);
  }
  const odd = pythons.find((python) => !IDENTIFIER.test(python));
  if (odd !== undefined) {
    throw new PepError(`Cannot read tag ${quote(text)}: ${quote(odd)} names no interpreter`);
  }
  if (pythons.length * abis.length * platforms.length > COMBINATIONS_MAX) {
    throw new PepError(`Cannot read tag ${quote(text)}: it has too many combinations`);
  }
  return pythons.flatMap((python) =>
    abis.flatMap((abi) => platforms.map((platform) => ({ python, abi, platform }))),
  );
}

const IDENTIFIER = /^[\p{XID_Start}_][\p{XID_Continue}]*$/u;

/** Tags in a row that differ by their platform only. */
interface Block {
  readonly python: string;
  readonly abi: string;
  /** All platforms of the set, or the platform `any`. */
  readonly platforms: "native" | "any";
}

/** Where the tags of one interpreter and ABI begin in the order. */
interface Offsets {
  native: number | undefined;
  any: number | undefined;
}

/** Where each tag stands in the order. */
interface Order {
  readonly platforms: ReadonlyMap<string, number>;
  readonly offsets: ReadonlyMap<string, ReadonlyMap<string, Offsets>>;
  readonly size: number;
}

/**
 * The tags that an interpreter takes, best first. Kept in blocks: an order of a thousand and more
 * tags is made in microseconds, and only where somebody asks for the place of one.
 */
export class TagSet {
  private readonly blocks: readonly Block[];
  private readonly platforms: readonly string[];
  private order: Order | undefined;

  constructor(blocks: readonly Block[], platforms: readonly string[]) {
    this.blocks = blocks;
    this.platforms = platforms;
  }

  get size(): number {
    return this.ordered().size;
  }

  /**
   * The place of the best of a wheel's tags in the order: 0 is the best there is. Undefined: the
   * interpreter cannot use the wheel.
   */
  priority(wheelTags: readonly WheelTag[]): number | undefined {
    let best: number | undefined;
    for (const tag of wheelTags) {
      const priority = this.priorityOf(tag);
      if (priority !== undefined && (best === undefined || priority < best)) best = priority;
    }
    return best;
  }

  /** Every tag in order, as text: `cp312-cp312-manylinux_2_36_x86_64`. */
  list(): string[] {
    return this.blocks.flatMap(({ python, abi, platforms }) =>
      (platforms === "any" ? ["any"] : this.platforms).map((name) => `${python}-${abi}-${name}`),
    );
  }

  /** A text that two sets share only where all of their tags and the order are the same. */
  identity(): string {
    let text = this.platforms.join(",");
    for (const { python, abi, platforms } of this.blocks) text += ` ${python}-${abi}-${platforms}`;
    return text;
  }

  private priorityOf({ python, abi, platform }: WheelTag): number | undefined {
    const order = this.ordered();
    const offsets = order.offsets.get(python)?.get(abi);
    if (offsets === undefined) return undefined;
    if (platform === "any") return offsets.any;
    const index = order.platforms.get(platform);
    if (index === undefined || offsets.native === undefined) return undefined;
    return offsets.native + index;
  }

  private ordered(): Order {
    this.order ??= orderOf(this.blocks, this.platforms);
    return this.order;
  }
}

function orderOf(blocks: readonly Block[], names: readonly string[]): Order {
  const platforms = new Map<string, number>();
  for (const [index, platform] of names.entries()) platforms.set(platform, index);
  const all = new Map<string, Map<string, Offsets>>();
  let size = 0;
  for (const { python, abi, platforms: kind } of blocks) {
    const offsets = offsetsFor(all, python, abi);
    offsets[kind] ??= size;
    size += kind === "any" ? 1 : names.length;
  }
  return { platforms, offsets: all, size };
}

function offsetsFor(all: Map<string, Map<string, Offsets>>, python: string, abi: string): Offsets {
  let byAbi = all.get(python);
  if (byAbi === undefined) {
    byAbi = new Map();
    all.set(python, byAbi);
  }
  let offsets = byAbi.get(abi);
  if (offsets === undefined) {
    offsets = { native: undefined, any: undefined };
    byAbi.set(abi, offsets);
  }
  return offsets;
}

/** The tags that an interpreter takes, in the order of the `packaging` library. */
export function supportedTags(interpreter: InterpreterTags): TagSet {
  const { implementation, version } = interpreter;
  const digits = `${version[0]}${version[1]}`;
  const blocks: Block[] = [];
  if (implementation === "cpython") {
    addCpython(blocks, interpreter);
  } else {
    const python = (SHORT_NAMES.get(implementation) ?? implementation) + digits;
    const abi = genericAbi(interpreter.extSuffix);
    if (abi !== undefined && abi !== "none") addNative(blocks, python, abi);
    addNative(blocks, python, "none");
  }
  const generic = genericPythons(version);
  for (const python of generic) addNative(blocks, python, "none");
  if (implementation === "cpython") addAny(blocks, `cp${digits}`);
  if (implementation === "pypy") addAny(blocks, "pp3");
  for (const python of generic) addAny(blocks, python);
  return new TagSet(blocks, platformTags(interpreter));
}

/**
 * The tags of a CPython on a machine that is not at hand.
 *
 * @throws PepError when the platform's name or the version is not known
 */
export function tagsForPlatform(target: {
  /** `3.12` or `3.12.1`. */
  readonly python: string;
  /** As uv's `--python-platform`: see target-platform.ts. */
  readonly platform: string;
  readonly oldest?: OldestSystem | undefined;
}): TagSet {
  const parts = /^(\d{1,4})\.(\d{1,4})(?!\d)/.exec(target.python);
  if (parts === null) {
    throw new PepError(`Cannot read Python version ${quote(target.python)}: it must be as 3.12`);
  }
  return supportedTags({
    ...targetFacts(target.platform, target.oldest),
    implementation: "cpython",
    version: [Number(parts[1]), Number(parts[2])],
  });
}

const SHORT_NAMES = new Map([
  ["python", "py"],
  ["pypy", "pp"],
  ["ironpython", "ip"],
  ["jython", "jy"],
]);

/** The first minor version of Python 3 with a stable ABI (PEP 384). */
const STABLE_SINCE = 2;

function addCpython(blocks: Block[], interpreter: InterpreterTags): void {
  const [major, minor] = interpreter.version;
  const python = `cp${major}${minor}`;
  for (const abi of cpythonAbis(interpreter)) addNative(blocks, python, abi);
  const stable = isFreeThreaded(interpreter) ? "abi3t" : "abi3";
  const hasStable = major > 3 || (major === 3 && minor >= STABLE_SINCE);
  if (hasStable) addNative(blocks, python, stable);
  addNative(blocks, python, "none");
  if (!hasStable) return;
  for (let older = minor - 1; older >= STABLE_SINCE; older -= 1) {
    addNative(blocks, `cp${major}${older}`, stable);
  }
}

function cpythonAbis(interpreter: InterpreterTags): string[] {
  const [major, minor] = interpreter.version;
  const plain = `cp${major}${minor}${isFreeThreaded(interpreter) ? "t" : ""}`;
  const debug = interpreter.debug === true ? "d" : "";
  if (major === 3 && minor < 8) {
    return [`${plain}${debug}${interpreter.pymalloc === false ? "" : "m"}`];
  }
  // A debug build loads what was built for a normal one, too.
  return debug === "" ? [plain] : [plain + debug, plain];
}

function isFreeThreaded({ freeThreaded, version: [major, minor] }: InterpreterTags): boolean {
  return freeThreaded === true && (major > 3 || (major === 3 && minor >= 13));
}

/** The ABI in a suffix such as `.pypy310-pp73-x86_64-linux-gnu.so`: `pypy310_pp73`. */
function genericAbi(extSuffix: string | undefined): string | undefined {
  const parts = (extSuffix ?? "").toLowerCase().split(".");
  const soabi = parts[1];
  if (parts.length < 3 || soabi === undefined || soabi === "") return undefined;
  const words = soabi.split("-");
  if (soabi.startsWith("cpython")) return `cp${words[1] ?? ""}`;
  const count = soabi.startsWith("pypy") ? 2 : soabi.startsWith("graalpy") ? 3 : words.length;
  const kept = soabi.startsWith("cp") ? 1 : count;
  return words.slice(0, kept).join("_").replace(/ /g, "_");
}

/** `py312`, `py3`, then every older minor version. */
function genericPythons([major, minor]: readonly [number, number]): string[] {
  const pythons = [`py${major}${minor}`, `py${major}`];
  for (let older = minor - 1; older >= 0; older -= 1) pythons.push(`py${major}${older}`);
  return pythons;
}

function addNative(blocks: Block[], python: string, abi: string): void {
  blocks.push({ python, abi, platforms: "native" });
}

function addAny(blocks: Block[], python: string): void {
  blocks.push({ python, abi: "none", platforms: "any" });
}

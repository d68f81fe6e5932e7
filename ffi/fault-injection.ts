import { type Pointer, toArrayBuffer } from "bun:ffi";
import { errnoNumber } from "./errno.ts";
import { countCalls } from "./fault-count.ts";

/**
 * Fault injection for tests (docs/testing.md): TRIAD_FAULTS holds rules such as `write:ENOSPC@3`,
 * and the calls of the C library that they name go wrong. The wrapper lies below the table of
 * sys.ts, so that its retry after EINTR and its -errno are tested with it. Counted per thread.
 */

type RawCall = (...args: number[]) => number;

export type FaultEffect =
  | { readonly kind: "errno"; readonly errno: number }
  /** Asks for fewer bytes than the caller did, so that fewer come. */
  | { readonly kind: "short" }
  /** The call is not made and answers 0: end of a file, or a copy that does not work. */
  | { readonly kind: "zero" }
  /** SIGKILL to the own process, before the call. */
  | { readonly kind: "kill" }
  /** The call is made, late. */
  | { readonly kind: "delay"; readonly delayMs: number };

export type FaultRule = {
  /** Name in the table; undefined = any. */
  readonly call: string | undefined;
  readonly effect: FaultEffect;
  /** The first call that is hit, from 1: of this name, or of any name where `call` is undefined. */
  readonly from: number;
  /** All later calls are hit as well. */
  readonly isLasting: boolean;
};

/** Entries of the table that are no system calls of interest, or that cannot fail. */
const exempt: ReadonlySet<string> = new Set(["__errno_location", "mmap", "umask", "memcmp"]);

/** Which argument is the number of bytes asked for. */
const lengthArgument: Readonly<Record<string, number>> = {
  read: 2,
  write: 2,
  pread: 2,
  pwrite: 2,
  copy_file_range: 4,
  sendfile: 3,
  getdents64: 2,
  recv: 2,
  send: 2,
  splice: 4,
};

/** Room for one entry of the longest name (getdents64(2)): less would be EINVAL. */
const direntBytesMin = 280;

const delayMsMax = 60_000;

/**
 * Takes rules apart: `CALL:EFFECT@N` or `CALL:EFFECT@N+`, separated by commas. CALL is a name of
 * the table or `*`; EFFECT an error name, `short`, `KILL`, or `delay:200ms`.
 * @throws Error naming the rule and what is wrong with it.
 */
export function parseFaultRules(text: string, calls: ReadonlySet<string>): FaultRule[] {
  return text.split(",").map((part) => parseRule(part.trim(), calls));
}

function parseRule(rule: string, calls: ReadonlySet<string>): FaultRule {
  const reject = (problem: string): never => {
    throw new Error(`Cannot read "${rule}" of TRIAD_FAULTS: ${problem}`);
  };
  const match = /^([^:@]+):([^@]+)@(\d+)(\+?)$/.exec(rule);
  if (match === null) return reject('expected CALL:EFFECT@N, such as "write:ENOSPC@3"');
  const [, call = "", effect = "", from = "", plus = ""] = match;
  if (call !== "*" && (!calls.has(call) || exempt.has(call))) {
    return reject(`"${call}" is no call that can be made to fail`);
  }
  if (Number(from) < 1) return reject("calls are counted from 1");
  return {
    call: call === "*" ? undefined : call,
    effect: parseEffect(effect, call, reject),
    from: Number(from),
    isLasting: plus === "+",
  };
}

function parseEffect(text: string, call: string, reject: (why: string) => never): FaultEffect {
  if (text === "KILL") return { kind: "kill" };
  if (text === "short" || text === "zero") {
    if (call === "*" || call in lengthArgument) return { kind: text };
    return reject(`"${call}" asks for no number of bytes`);
  }
  const delay = /^delay:(\d+)ms$/.exec(text);
  if (delay !== null) {
    const delayMs = Number(delay[1]);
    if (delayMs <= delayMsMax) return { kind: "delay", delayMs };
    return reject(`a delay is at most ${delayMsMax} ms`);
  }
  const number = errnoNumber(text);
  if (number === undefined) return reject(`"${text}" is no effect and no error name`);
  return { kind: "errno", errno: number };
}

/** Whether this process is to be disturbed, or its calls counted. */
export function wantsFaults(): boolean {
  const { env } = process;
  return (env["TRIAD_FAULTS"] ?? "") !== "" || (env["TRIAD_FAULTS_COUNT"] ?? "") !== "";
}

/**
 * Puts the faults of TRIAD_FAULTS, and the counters of TRIAD_FAULTS_COUNT, around the C library's
 * functions. Called once per thread.
 * @throws Error where a rule is malformed
 */
export function withFaults<Symbols extends { readonly [name: string]: unknown }>(
  symbols: Symbols,
): Symbols {
  const names = Object.keys(symbols).filter((name) => !exempt.has(name));
  const text = process.env["TRIAD_FAULTS"] ?? "";
  const rules = text === "" ? [] : parseFaultRules(text, new Set(names));
  const location = (symbols["__errno_location"] as () => Pointer)();
  const errnoView = new Int32Array(toArrayBuffer(location, 0, 4));
  const note = countCalls(process.env["TRIAD_FAULTS_COUNT"] ?? "", names);
  const total = { calls: 0 };
  const wrapped: Record<string, unknown> = { ...symbols };
  for (const [index, name] of names.entries()) {
    const raw = symbols[name] as RawCall;
    const own = rules.filter((rule) => rule.call === undefined || rule.call === name);
    wrapped[name] = wrapCall({ name, raw, rules: own, total, errnoView, note: () => note(index) });
  }
  return wrapped as Symbols;
}

function wrapCall(call: {
  readonly name: string;
  readonly raw: RawCall;
  readonly rules: readonly FaultRule[];
  readonly total: { calls: number };
  readonly errnoView: Int32Array;
  readonly note: () => void;
}): RawCall {
  const { name, raw, rules, total, errnoView } = call;
  let calls = 0;
  return (...args) => {
    calls++;
    total.calls++;
    call.note();
    for (const { call: only, effect, from, isLasting } of rules) {
      const at = only === undefined ? total.calls : calls;
      if (at !== from && !(isLasting && at > from)) continue;
      if (effect.kind === "errno") return fail(name, raw, args, effect.errno, errnoView);
      if (effect.kind === "zero" && name in lengthArgument) return 0;
      disturb(name, args, effect);
    }
    return raw(...args);
  };
}

/** close(2) lets go of the descriptor even where it reports an error, and so does this one. */
function fail(
  name: string,
  raw: RawCall,
  args: number[],
  number: number,
  errnoView: Int32Array,
): number {
  if (name === "close") raw(...args);
  if (name === "posix_fadvise") return number;
  errnoView[0] = number;
  return -1;
}

function disturb(
  name: string,
  args: number[],
  effect: Exclude<FaultEffect, { kind: "errno" }>,
): void {
  switch (effect.kind) {
    case "kill":
      process.kill(process.pid, "SIGKILL");
      return;
    case "delay":
      Bun.sleepSync(effect.delayMs);
      return;
    case "zero":
      return;
    case "short": {
      const position = lengthArgument[name];
      const asked = position === undefined ? undefined : args[position];
      if (position === undefined || asked === undefined) return;
      args[position] = name === "getdents64" ? direntBytesMin : Math.ceil(asked / 2);
    }
  }
}

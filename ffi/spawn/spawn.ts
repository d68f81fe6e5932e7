import { CFunction, FFIType, type Pointer, ptr } from "bun:ffi";
import { MMAP } from "../abi/constants.ts";
import { NR } from "../abi/system-call.ts";
import { errno } from "../errno.ts";
import { Memory } from "../mem.ts";
import { processCalls } from "../process.ts";
import { check } from "../sys.ts";
import { spawnCode } from "./code.ts";

/** An argument of a system call: a number, a text, or texts; texts are UTF-8 with a NUL. */
export type StepArgument = number | string | readonly string[] | Uint8Array;

/** One system call that the child makes before it is the new program. */
export interface SpawnStep {
  /** What it is for, for messages: `change to "/srv"`. */
  readonly label: string;
  /** Its number, of {@link NR}. */
  readonly call: number;
  readonly arguments: readonly StepArgument[];
  /** Goes on although it fails. */
  readonly mayFail?: boolean;
  /** Its result is the first argument of the next step. */
  readonly feedsNext?: boolean;
}

/** A child that runs, or the step that failed; such a child has exited with 127. */
export type SpawnResult =
  | { readonly kind: "running"; readonly pid: number }
  | {
      readonly kind: "failed";
      readonly label: string;
      readonly errno: number;
      /** To be waited for; undefined where there was no child at all. */
      readonly pid: number | undefined;
    };

const STEP_BYTES = 64;
const STEPS_MAX = 512;
const STACK_BYTES = 4096;
const TEXT_START = STEPS_MAX * STEP_BYTES + STACK_BYTES;
const FAILURE = TEXT_START - 64;
const SIZE_BYTES = 1 << 20;
const PROT_EXEC = 4;
const SIG_SETMASK = 2;

interface Machinery {
  run(steps: number, count: number, stack: number, failure: number): number;
  readonly memory: Memory;
  readonly view: DataView;
  readonly text: Buffer;
}

let machinery: Machinery | undefined;

/** @throws Error on a processor that no code is written for */
function prepare(): Machinery {
  const code = spawnCode(process.arch);
  if (code === undefined) throw new Error(`Cannot start programs on ${process.arch}`);
  const page = new Memory(4096);
  page.bytes.set(code);
  check(processCalls().mprotect(page.pointer, 4096, MMAP.PROT_READ | PROT_EXEC), "mprotect");
  const i64 = FFIType.i64_fast;
  const run = CFunction({
    ptr: page.pointer as Pointer,
    args: [i64, i64, i64, i64],
    returns: i64,
  }) as unknown as Machinery["run"];
  const memory = new Memory(SIZE_BYTES);
  return {
    run,
    memory,
    view: new DataView(memory.buffer),
    text: Buffer.from(memory.buffer),
  };
}

/**
 * Starts a program: runs the steps in a new child, the last of them execve(2). Ours waits until the
 * child is that program, as after vfork(2). The child is nobody's but the caller's to wait for; its
 * signals have their defaults and none is blocked. Descriptors without O_CLOEXEC go along.
 *
 * @throws Error where there is no code for this processor
 */
export function spawnProgram(steps: readonly SpawnStep[]): SpawnResult {
  machinery ??= prepare();
  const all = [...signalSteps(), ...steps];
  const { memory, view } = machinery;
  if (!placeSteps(machinery, all)) {
    return { kind: "failed", label: "pass on its arguments", errno: errno.E2BIG, pid: undefined };
  }
  view.setBigInt64(FAILURE, 0n, true);
  const pid = withoutSignals(memory, () => machine(all.length, machinery as Machinery));
  const left = Number(view.getBigInt64(FAILURE, true));
  const reason = -Number(view.getBigInt64(FAILURE + 8, true));
  // Environments and arguments are not kept, and the pages go back.
  memory.release(TEXT_START);
  if (pid < 0) return { kind: "failed", label: "make a process", errno: -pid, pid: undefined };
  if (left === 0) return { kind: "running", pid };
  const label = all[all.length - left]?.label ?? "start";
  return { kind: "failed", label, errno: reason, pid };
}

function machine(count: number, { run, memory }: Machinery): number {
  const { pointer } = memory;
  return run(pointer, count, pointer + FAILURE - 64, pointer + FAILURE);
}

/** A handler of ours that ran in the child would run in our memory: nothing may interrupt it. */
function withoutSignals(memory: Memory, call: () => number): number {
  const at = TEXT_START - 128 - 256;
  const old = memory.pointer + at;
  memory.bytes.fill(0xff, at + 128, at + 256);
  const { pthread_sigmask: mask } = processCalls();
  mask(SIG_SETMASK, old + 128, old);
  try {
    return call();
  } finally {
    mask(SIG_SETMASK, old, 0);
  }
}

const zeros = new Uint8Array(32);
let ofSignals: readonly SpawnStep[] | undefined;

/** Handlers go back to their defaults, what Bun ignores too; then nothing is blocked any more. */
function signalSteps(): readonly SpawnStep[] {
  if (ofSignals !== undefined) return ofSignals;
  const label = "reset signals";
  const numbers = Array.from({ length: 64 }, (_, index) => index + 1);
  ofSignals = [
    ...numbers.map((number) => ({
      label,
      call: NR.rt_sigaction,
      arguments: [number, zeros, 0, 8],
      mayFail: true,
    })),
    { label, call: NR.rt_sigprocmask, arguments: [SIG_SETMASK, zeros, 0, 8] },
  ];
  return ofSignals;
}

/** False where the steps or their texts are too long. */
function placeSteps(target: Machinery, steps: readonly SpawnStep[]): boolean {
  if (steps.length > STEPS_MAX) return false;
  const arena = new Arena(target);
  for (const [index, step] of steps.entries()) {
    const words = [step.call, ...step.arguments.map((one) => arena.word(one))];
    if (arena.isFull) return false;
    const flags = (step.mayFail === true ? 1 : 0) | (step.feedsNext === true ? 2 : 0);
    for (let word = 0; word < 7; word += 1) {
      target.view.setBigInt64(index * STEP_BYTES + word * 8, BigInt(words[word] ?? 0), true);
    }
    target.view.setBigInt64(index * STEP_BYTES + 56, BigInt(flags), true);
  }
  return true;
}

/** Puts texts where the child finds them. */
class Arena {
  readonly #target: Machinery;
  #used = TEXT_START;
  isFull = false;

  constructor(target: Machinery) {
    this.#target = target;
  }

  /** The value itself, or the address of what it says. */
  word(value: StepArgument): number {
    if (typeof value === "number") return value;
    if (typeof value === "string") return this.#bytes(Buffer.from(`${value}\0`, "utf8"));
    if (value instanceof Uint8Array) return value === zeros ? ptr(zeros) : this.#bytes(value);
    const addresses = value.map((text) => this.word(text));
    const start = this.#reserve((addresses.length + 1) * 8);
    if (this.isFull) return 0;
    for (const [index, address] of [...addresses, 0].entries()) {
      this.#target.view.setBigInt64(start + index * 8, BigInt(address), true);
    }
    return this.#target.memory.pointer + start;
  }

  #bytes(bytes: Uint8Array): number {
    const start = this.#reserve(bytes.length);
    if (this.isFull) return 0;
    this.#target.memory.bytes.set(bytes, start);
    return this.#target.memory.pointer + start;
  }

  #reserve(length: number): number {
    const start = this.#used;
    this.#used += (length + 7) & ~7;
    if (this.#used > SIZE_BYTES) this.isFull = true;
    return start;
  }
}

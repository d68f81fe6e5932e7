import { SIG, SIGACTION_LAYOUT } from "../../../ffi/abi/sigaction.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { runExitTasks } from "./exit-tasks.ts";

/** A program to run in place of, or below, this process. */
export interface Program {
  /** Absolute path of the executable file. */
  readonly path: string;
  /** argv, with argv[0]. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a program in place of this one (execve(2)), so that signals, terminal and exit code are its
 * own and no memory of ours stays behind. Where that is impossible (not Linux, or the kernel
 * refuses the file, as it does a script without a first line) it runs as a child.
 *
 * @returns the exit code of the child; does not return when the process was replaced
 * @throws Error with `code` when the program cannot be started
 */
export async function runInPlace(program: Program): Promise<number> {
  await runExitTasks();
  if (process.platform === "linux") replaceProcess(program);
  const child = Bun.spawn([program.path, ...program.argv.slice(1)], {
    argv0: program.argv[0] ?? program.path,
    env: { ...program.environment },
    stdio: ["inherit", "inherit", "inherit"],
  });
  const forward = (signal: NodeJS.Signals): void => child.kill(signal);
  // A terminal sends Ctrl-C to the child as well; only its exit code counts.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", forward);
  const exitCode = await child.exited;
  return exitCode;
}

/** Returns only when the kernel refuses. */
function replaceProcess(program: Program): void {
  resetBrokenPipe();
  const environment = Object.entries(program.environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const path = cString(program.path);
  const argv = pointerArray(program.argv);
  const environ = pointerArray(environment);
  sys.execve(path.pointer, argv.pointer, environ.pointer);
}

/** Bun ignores SIGPIPE, and what is ignored stays so across execve(2). */
function resetBrokenPipe(): void {
  const memory = new Memory(SIGACTION_LAYOUT.size);
  sys.sigaction(SIG.PIPE, memory.pointer, 0);
}

function cString(text: string): Memory {
  const bytes = Buffer.from(text, "utf8");
  const memory = new Memory(bytes.length + 1);
  memory.bytes.set(bytes);
  return memory;
}

/** A NULL-terminated array of pointers and the texts behind them, in one block. */
function pointerArray(texts: readonly string[]): Memory {
  const encoded = texts.map((text) => Buffer.from(text, "utf8"));
  const pointerBytes = (encoded.length + 1) * 8;
  const textBytes = encoded.reduce((sum, bytes) => sum + bytes.length + 1, 0);
  const memory = new Memory(pointerBytes + textBytes);
  const pointers = new BigUint64Array(memory.buffer, 0, encoded.length + 1);
  let offset = pointerBytes;
  for (const [index, bytes] of encoded.entries()) {
    pointers[index] = BigInt(memory.pointer + offset);
    memory.bytes.set(bytes, offset);
    offset += bytes.length + 1;
  }
  return memory;
}

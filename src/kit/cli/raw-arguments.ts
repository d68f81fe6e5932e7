import { readFileSync } from "node:fs";

const REPLACEMENT = "\ufffd";

/** Where the bytes of the command line come from; replaced in tests. */
export type ReadCommandLine = () => string;

/**
 * The bytes of each argument, one latin1 character per byte. Bun decodes argv as UTF-8 and
 * replaces what is none by U+FFFD; names on Linux are bytes, so where one argument holds U+FFFD
 * the kernel is asked for the original. Where there is no /proc, names are UTF-8 anyway.
 *
 * @param argv the arguments as Bun gives them, without program and script
 */
export function rawArguments(
  argv: readonly string[],
  readCommandLine: ReadCommandLine = readProcCommandLine,
): readonly string[] {
  if (!argv.some((argument) => argument.includes(REPLACEMENT))) {
    return argv.map(toLatin1);
  }
  const original = originalTail(argv.length, readCommandLine);
  if (original === undefined) {
    return argv.map(toLatin1);
  }
  // Only arguments that decode to what Bun gave us are believed: never mix up two files.
  return argv.map((argument, index) => {
    const raw = original[index] ?? "";
    return Buffer.from(raw, "latin1").toString("utf8") === argument ? raw : toLatin1(argument);
  });
}

/** UTF-8 text as one latin1 character per byte. */
export function toLatin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function originalTail(length: number, read: ReadCommandLine): readonly string[] | undefined {
  try {
    const all = read().split("\0").slice(0, -1);
    return all.length < length ? undefined : all.slice(all.length - length);
  } catch {
    return undefined;
  }
}

function readProcCommandLine(): string {
  return readFileSync("/proc/self/cmdline", "latin1");
}

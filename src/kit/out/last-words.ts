import { writeSync } from "node:fs";

/**
 * What is said where even the printer may not be there: code that could not be loaded, a rejection
 * that nobody awaits. The stack only with --debug on the command line. Returns the exit code, 3.
 */
export function lastWords(error: unknown): number {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const isDebug = process.argv.includes("--debug");
  const lines = [
    `error: This is a bug in triad: ${name}: ${message}`,
    "hint: repeat the command with --debug and report what it prints",
    ...(isDebug && stack !== undefined ? [stack] : []),
  ];
  try {
    writeSync(2, `${lines.join("\n")}\n`);
  } catch {
    // Nobody can be told; the exit code still tells.
  }
  return 3;
}

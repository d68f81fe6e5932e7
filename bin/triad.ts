#!/usr/bin/env bun
import { appletFor } from "../src/applets.ts";
import { printLine } from "../src/kit/out/print-line.ts";
import { runExitTasks } from "../src/kit/proc/exit-tasks.ts";
import { versionLine } from "../src/kit/version.ts";

const { name, load } = appletFor(process.argv0);
// The kernel hands the first process every word that it does not know itself: no command line.
const isFirst = process.pid === 1 && (name === "init" || name === "rinit");
const argv = isFirst ? [] : process.argv.slice(2);
if (argv.length === 1 && argv[0] === "--version") {
  // The usual form, at half the cost of the general way, which loads the parser and the specs.
  printLine(versionLine(name));
} else {
  process.on("uncaughtException", endWith);
  process.on("unhandledRejection", endWith);
  try {
    const { runCommand } = await import("../src/kit/cli/run.ts");
    const code = await runCommand({ name, load, argv });
    await runExitTasks();
    // All other writes are synchronous, so nothing is lost; and what an engine may have left open
    // (a socket, an idle worker) must not keep the process alive.
    process.exit(code);
  } catch (error) {
    await endWith(error);
  }
}

/** The last resort: whatever nobody caught is a bug of ours, and is told as one. */
async function endWith(error: unknown): Promise<void> {
  const { lastWords } = await import("../src/kit/out/last-words.ts");
  process.exit(lastWords(error));
}

import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { openRoot } from "../../snapshot/root.ts";
import { runIn } from "../../snapshot/run-in.ts";
import { findSnapshot } from "./find-snapshot.ts";
import { openTree } from "./open-tree.ts";
import { reportDryRun, reportMade } from "./report.ts";

interface Context {
  readonly args: {
    readonly root: string | undefined;
    readonly snapshot: string;
    readonly description: string;
    readonly "dry-run": boolean;
  };
  readonly printer: Printer;
  readonly commandPath: string;
}

/**
 * Runs a command, or a shell, in a clone of a snapshot, and keeps the clone if it ends with 0.
 *
 * @returns the exit code of the command
 */
export async function workInClone(
  context: Context,
  command: readonly string[] | undefined,
): Promise<number> {
  const { args, printer } = context;
  const shown = command === undefined ? "a shell" : `"${command.join(" ")}"`;
  if (args["dry-run"]) {
    const state = readTree(openRoot({ root: args.root }).path);
    const { id } = findSnapshot(state, args.snapshot);
    const text = `Would run ${shown} in a clone of snapshot ${id}`;
    reportDryRun(printer, text, { action: "run", parent: id, command });
    return 0;
  }
  using tree = openTree(context);
  const { id } = findSnapshot(tree.state, args.snapshot);
  using clone = tree.temporary(id);
  // A shell may stay open for hours.
  tree.pause();
  const { path } = clone;
  const ended = await runIn({ path, command, environment: process.env });
  if (ended.interruptedBy !== undefined || ended.code !== 0) {
    clone.discard();
    const code = ended.interruptedBy === undefined ? ended.code : interruptedCode(ended);
    printer.note(
      `Discarded the clone of snapshot ${id}: ${escapeControls(shown)} ended with ${code}`,
    );
    return code;
  }
  await tree.resume();
  const fallback = command === undefined ? `changed in a shell` : command.join(" ").slice(0, 80);
  const description = args.description || fallback;
  reportMade(printer, clone.keep({ description, isPrecious: true }));
  return 0;
}

function interruptedCode(ended: { readonly interruptedBy: string | undefined }): number {
  return ended.interruptedBy === "SIGTERM" ? 143 : 130;
}

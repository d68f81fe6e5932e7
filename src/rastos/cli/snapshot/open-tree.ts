import type { Printer } from "../../../kit/out/printer.ts";
import { openRoot } from "../../snapshot/root.ts";
import { SnapshotTree } from "../../snapshot/tree.ts";

/** What a command needs to open the tree that it works on. */
interface Context {
  readonly args: { readonly root: string | undefined };
  readonly printer: Printer;
  readonly commandPath: string;
}

/** Opens and locks the tree of `--root`, or of the running system. @throws {Fault} */
export function openTree(context: Context, options: { isNew?: boolean } = {}): SnapshotTree {
  const { path } = openRoot({ root: context.args.root });
  return SnapshotTree.open(path, {
    command: context.commandPath,
    onNote: (text) => context.printer.warn(text),
    ...options,
  });
}

import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { diffFiles } from "../../snapshot/diff.ts";
import { diffPackages, type PackageDifference } from "../../snapshot/diff-packages.ts";
import type { FileChange } from "../../snapshot/file-change.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { partPlace } from "../../snapshot/part-place.ts";
import { openRoot } from "../../snapshot/root.ts";
import type { Snapshot, SystemState } from "../../snapshot/types.ts";
import type { DiffArgs } from "./diff.ts";
import { findSnapshot } from "./find-snapshot.ts";

type Context = Pick<CommandContext<DiffArgs>, "args" | "printer">;

const SIGNS = { added: "+", removed: "-", changed: "~" } as const;

/** Shows what two snapshots do not have in common. */
export async function run({ args, printer }: Context): Promise<number> {
  const top = openRoot({ root: args.root }).path;
  const state = readTree(top);
  const [from, to] = pairOf(state, args);
  const all = args.packages === args.files;
  const variable = (id: number): string => partPlace(top, "var", id);
  const packages = all || args.packages ? diffPackages(variable(from), variable(to)) : [];
  const files = all || args.files ? diffFiles({ top, state, from, to }) : [];
  if (printer.jsonMode) {
    printer.json({
      schema: "rastos.diff/1",
      from,
      to,
      packages: packages.map(packageJson),
      files: files.map(fileJson),
    });
    return 0;
  }
  for (const each of packages) printer.out(packageLine(each));
  printFiles(printer, files);
  if (packages.length + files.length === 0) {
    printer.note(`Snapshots ${from} and ${to} have everything in common`);
  }
  return 0;
}

function pairOf(state: SystemState, args: Context["args"]): readonly [number, number] {
  const first = findSnapshot(state, args.from);
  if (args.to !== undefined) return [first.id, findSnapshot(state, args.to).id];
  return [parentOf(first), first.id];
}

function parentOf(snapshot: Snapshot): number {
  if (snapshot.parent !== undefined) return snapshot.parent;
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot compare snapshot ${snapshot.id} with its parent: it has none`,
    hint: "name the other snapshot too",
  });
}

function packageLine({ name, from, to }: PackageDifference): string {
  const shown = escapeControls(name);
  if (from === undefined) return `+ package ${shown} ${escapeControls(to ?? "")}`;
  if (to === undefined) return `- package ${shown} ${escapeControls(from)}`;
  return `~ package ${shown} ${escapeControls(from)} -> ${escapeControls(to)}`;
}

function packageJson({ name, from, to }: PackageDifference): Readonly<Record<string, unknown>> {
  return { name, from: from ?? null, to: to ?? null };
}

function printFiles(printer: Printer, files: readonly FileChange[]): void {
  for (const { path, kind, type, aspects } of files) {
    const folder = type === "folder" && path !== "/" ? "/" : "";
    const note = aspects.length === 0 ? "" : ` (${aspects.join(", ")})`;
    printer.out(`${SIGNS[kind]} ${escapeControls(textOf(path))}${folder}${note}`);
  }
}

function fileJson({ path, kind, type, aspects }: FileChange): Readonly<Record<string, unknown>> {
  const bytes = Buffer.from(path, "latin1");
  const text = textOf(path);
  const isText = Buffer.from(text).equals(bytes);
  const extra = isText ? {} : { pathBytes: bytes.toString("base64") };
  return { path: text, kind, type, aspects, ...extra };
}

function textOf(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

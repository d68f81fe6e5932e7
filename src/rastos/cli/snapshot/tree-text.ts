import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { childrenOf, defaultSnapshot } from "../../snapshot/shape.ts";
import type { Snapshot, SystemState } from "../../snapshot/types.ts";
import { snapshotJson } from "./report.ts";

/** Prints the tree, for people or for programs. */
export function printTree(printer: Printer, root: string, state: SystemState): void {
  const chosen = defaultSnapshot(state);
  if (printer.jsonMode) {
    const snapshots = state.snapshots.map((snapshot) => ({
      ...snapshotJson(snapshot),
      isDefault: snapshot.id === chosen,
      deployments: deploymentsOf(state, snapshot.id),
    }));
    printer.json({ schema: "rastos.tree/1", root, defaultSnapshot: chosen ?? null, snapshots });
    return;
  }
  for (const line of treeLines(state)) printer.out(line);
  if (state.snapshots.length === 0) printer.note("There is no snapshot yet");
}

/** A line per snapshot, with the lines of the tree before it. Pure. */
export function treeLines(state: SystemState): string[] {
  const chosen = defaultSnapshot(state);
  const lines: string[] = [];
  const add = (snapshot: Snapshot, before: { self: string; below: string }): void => {
    lines.push(`${before.self}${labelOf(state, snapshot, snapshot.id === chosen)}`.trimEnd());
    const children = childrenOf(state.snapshots, snapshot.id);
    for (const [index, child] of children.entries()) {
      const isLast = index === children.length - 1;
      add(child, {
        self: `${before.below}${isLast ? "└── " : "├── "}`,
        below: `${before.below}${isLast ? "    " : "│   "}`,
      });
    }
  };
  for (const top of childrenOf(state.snapshots, undefined)) add(top, { self: "", below: "" });
  return lines;
}

function labelOf(state: SystemState, snapshot: Snapshot, isDefault: boolean): string {
  const branch = snapshot.branch === undefined ? "" : ` [${snapshot.branch}]`;
  const deployed = deploymentsOf(state, snapshot.id);
  const notes = [
    ...(snapshot.isPinned ? ["pinned"] : []),
    ...(deployed.length === 0 ? [] : [`deployed as ${deployed.join(", ")}`]),
  ];
  const note = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
  const text = snapshot.description === "" ? "" : ` ${snapshot.description}`;
  return escapeControls(`${snapshot.id}${isDefault ? "*" : ""}${branch}${text}${note}`);
}

function deploymentsOf(state: SystemState, id: number): string[] {
  return state.deployments.filter((each) => each.snapshot === id).map((each) => each.entry);
}

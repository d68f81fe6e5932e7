import { readFileSync } from "node:fs";
import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import { formatBytes, formatCount } from "../../../kit/text/format.ts";
import { versionInfo } from "../../../kit/version.ts";
import { deploymentOfCommandLine } from "../../deploy/command-line.ts";
import { packageLibrary } from "../../package/library-version.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { openRoot } from "../../snapshot/root.ts";
import {
  type MachineInfo,
  readMachine,
  readSpace,
  type SpaceInfo,
} from "../../system/machine-info.ts";
import type { SystemInfoArgs } from "./system.ts";

type Context = Pick<CommandContext<SystemInfoArgs>, "args" | "printer">;

/** The tree of snapshots, in numbers. */
interface TreeInfo {
  readonly top: string;
  readonly snapshots: number;
  readonly deployments: number;
  readonly booted: string | null;
  readonly next: string | null;
  readonly space: SpaceInfo | undefined;
}

/** Shows what this system is. */
export async function run({ args, printer }: Context): Promise<void> {
  const machine = readMachine();
  const found = findTree(args.root);
  const versions = { triad: versionInfo().version, packages: packageLibrary() ?? null };
  if (printer.jsonMode) {
    const { tree } = found;
    printer.json({ schema: "rastos.system/1", machine, tree: tree ?? null, versions });
    return;
  }
  for (const [name, value] of [
    ...machineLines(machine),
    ...(found.tree === undefined ? [["tree", found.reason]] : treeLines(found.tree)),
    ["packages", versions.packages ?? "neither libalpm nor pacman is installed"],
    ["triad", versions.triad],
  ] as const) {
    printer.out(escapeControls(`${(name ?? "").padEnd(11)} ${value}`));
  }
}

function machineLines(machine: MachineInfo): (readonly [string, string])[] {
  const { memoryBytes, memoryFreeBytes, processor, processors, loader, firmware } = machine;
  return [
    ["host", machine.hostname],
    ["kernel", `${machine.kernel} (${machine.architecture})`],
    ["processor", `${processor}, ${formatCount(processors, "thread")}`],
    ["memory", `${formatBytes(memoryBytes)}, ${formatBytes(memoryFreeBytes)} available`],
    ["firmware", loader === undefined ? firmware : `${firmware}, started by ${loader}`],
    ["init", machine.init ?? "unknown"],
    ["up for", formatCount(Math.floor(machine.uptimeSeconds / 60), "minute")],
  ];
}

function treeLines(tree: TreeInfo): (readonly [string, string])[] {
  const { space, booted, next } = tree;
  const room =
    space === undefined
      ? "unknown"
      : `${formatBytes(space.totalBytes)}, ${formatBytes(space.freeBytes)} free`;
  const counts = `${formatCount(tree.snapshots, "snapshot")}, ${tree.deployments} deployed`;
  return [
    ["tree", `${tree.top}: ${counts}`],
    ["booted", booted ?? "no deployment of this tree"],
    ["boots next", next ?? "nothing"],
    ["disk", room],
  ];
}

/** A machine without a tree has other things to tell. */
function findTree(
  root: string | undefined,
): { readonly tree: TreeInfo } | { readonly tree: undefined; readonly reason: string } {
  try {
    const { path: top, isRunning } = openRoot({ root });
    const { snapshots, deployments, defaultDeployment } = readTree(top);
    const entry = (id: number | undefined): string | null =>
      deployments.find((one) => one.id === id)?.entry ?? null;
    const booted = isRunning
      ? deploymentOfCommandLine(readFileSync("/proc/cmdline", "utf8"))?.deployment
      : undefined;
    const counts = { snapshots: snapshots.length, deployments: deployments.length };
    const standing = { booted: entry(booted), next: entry(defaultDeployment) };
    return { tree: { top, ...counts, ...standing, space: readSpace(top) } };
  } catch (error) {
    // Of a folder that was asked for by name the reason is the answer.
    if (!(error instanceof Fault) || root !== undefined) throw error;
    return { tree: undefined, reason: error.message };
  }
}

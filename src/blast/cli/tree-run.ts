import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { PackageName } from "../pep/name.ts";
import { type Edge, type InstalledGraph, installedGraph } from "../sync/installed-graph.ts";
import { openPlace } from "../sync/place.ts";
import { openSession } from "./open-session.ts";
import type { TreeArgs } from "./tree.ts";
import { packageName } from "./update-run.ts";

/** Prints the tree of requirements. */
export async function run(context: CommandContext<TreeArgs>): Promise<number> {
  const { args, printer } = context;
  const session = await openSession(printer, {});
  const place = await openPlace(session, { python: args.python, create: false });
  const graph = installedGraph(place.environment.installed(), place.interpreter.markers);
  const roots = args.package.length > 0 ? args.package.map(packageName) : tops(graph);
  for (const name of roots) {
    if (!graph.byName.has(name)) throw notInstalled(name);
  }
  const tree = new Tree(graph, args.invert, args.depth ?? Number.POSITIVE_INFINITY);
  if (printer.jsonMode) {
    for (const name of roots) printer.json({ schema: "blast.tree/1", ...tree.json(name) });
    return 0;
  }
  for (const name of roots) for (const line of tree.lines(name)) printer.out(line);
  return 0;
}

/** What nothing else needs; of circles, what was asked for, else what leads furthest. */
function tops(graph: InstalledGraph): PackageName[] {
  const names = [...graph.byName.keys()].sort();
  const found = names.filter((name) => graph.neededBy(name).every(({ from }) => from === name));
  const reached = new Set<PackageName>();
  const reach = (name: PackageName): void => {
    if (reached.has(name)) return;
    reached.add(name);
    for (const { to } of graph.needs(name)) if (to !== undefined) reach(to.name);
  };
  for (const name of found) reach(name);
  const left = names.filter((name) => !reached.has(name));
  const rank = new Map(left.map((name) => [name, rankOf(graph, name)]));
  for (const name of left.sort((a, b) => (rank.get(b) ?? 0) - (rank.get(a) ?? 0))) {
    if (reached.has(name)) continue;
    found.push(name);
    reach(name);
  }
  return found.sort();
}

/** How many packages are below; more than all of them for what was asked for. */
function rankOf(graph: InstalledGraph, top: PackageName): number {
  const seen = new Set<PackageName>([top]);
  for (const name of seen) for (const { to } of graph.needs(name)) if (to) seen.add(to.name);
  return seen.size + (graph.byName.get(top)?.requested === true ? graph.byName.size : 0);
}

interface Branch {
  readonly name: PackageName;
  /** The requirement that leads here. */
  readonly edge: Edge;
}

class Tree {
  readonly #graph: InstalledGraph;
  readonly #inverted: boolean;
  readonly #depth: number;
  readonly #shown = new Set<PackageName>();

  constructor(graph: InstalledGraph, inverted: boolean, depth: number) {
    this.#graph = graph;
    this.#inverted = inverted;
    this.#depth = depth;
  }

  lines(root: PackageName): string[] {
    const version = this.#graph.byName.get(root)?.version;
    this.#shown.add(root);
    return [`${root} ${version}`, ...this.#below(root, "", 1)];
  }

  #below(name: PackageName, indent: string, level: number): string[] {
    if (level > this.#depth) return [];
    const branches = this.#branches(name);
    return branches.flatMap((branch, at) => {
      const isLast = at === branches.length - 1;
      const own = `${indent}${isLast ? "└── " : "├── "}${this.#label(branch)}`;
      const isKnown = this.#shown.has(branch.name);
      if (isKnown) return [this.#branches(branch.name).length > 0 ? `${own} (*)` : own];
      this.#shown.add(branch.name);
      return [own, ...this.#below(branch.name, `${indent}${isLast ? "    " : "│   "}`, level + 1)];
    });
  }

  json(root: PackageName, above: readonly PackageName[] = []): Record<string, unknown> {
    const installed = this.#graph.byName.get(root);
    const isCircle = above.includes(root) || above.length >= this.#depth;
    return {
      name: root,
      version: installed?.version.toString() ?? null,
      [this.#inverted ? "neededBy" : "needs"]: isCircle
        ? []
        : this.#branches(root).map(({ name, edge }) => ({
            requires: requirementText(edge),
            ...(edge.extra === undefined ? {} : { extra: edge.extra }),
            fits: edge.fits,
            ...this.json(name, [...above, root]),
          })),
    };
  }

  #branches(name: PackageName): Branch[] {
    const branches = this.#inverted
      ? this.#graph.neededBy(name).map((edge) => ({ name: edge.from, edge }))
      : this.#graph.needs(name).map((edge) => ({ name: edge.requirement.name, edge }));
    const byName = new Map(branches.map((branch) => [branch.name, branch]));
    byName.delete(name);
    return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #label({ name, edge }: Branch): string {
    const version = this.#graph.byName.get(name)?.version;
    const bound = edge.requirement.specifier.toString();
    const reason = this.#inverted ? ` (needs ${requirementText(edge)})` : bound && ` (${bound})`;
    const extra = edge.extra === undefined ? "" : ` [extra ${edge.extra}]`;
    if (edge.to === undefined) return `${name}${reason}${extra}: not installed`;
    return `${name} ${version}${reason}${extra}${edge.fits ? "" : ": does not fit"}`;
  }
}

function requirementText({ requirement }: Edge): string {
  const extras = requirement.extras.length === 0 ? "" : `[${requirement.extras.join(",")}]`;
  return `${requirement.name}${extras}${requirement.specifier}`;
}

/** @see treeCommand */
export function notInstalled(name: PackageName): Fault {
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot show "${name}": it is not installed`,
    hint: "`blast list` shows what is",
  });
}

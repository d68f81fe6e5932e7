import type { CommandContext } from "../../kit/cli/command.ts";
import type { PackageName } from "../pep/name.ts";
import { type Edge, type InstalledGraph, installedGraph } from "../sync/installed-graph.ts";
import { openPlace } from "../sync/place.ts";
import type { Project } from "../sync/project.ts";
import { openSession } from "./open-session.ts";
import { notInstalled } from "./tree-run.ts";
import { packageName } from "./update-run.ts";
import type { WhyArgs } from "./why.ts";

/** Chains that are shown; there can be millions. */
const CHAINS_MAX = 50;

/** Tells the chains that lead to a package. */
export async function run(context: CommandContext<WhyArgs>): Promise<number> {
  const { args, printer } = context;
  const name = packageName(args.package);
  const session = await openSession(printer, {});
  const place = await openPlace(session, { python: args.python, create: false });
  const graph = installedGraph(place.environment.installed(), place.interpreter.markers);
  const found = graph.byName.get(name);
  if (found === undefined) throw notInstalled(name);
  const chains = chainsTo(graph, name);
  const shown = chains.slice(0, CHAINS_MAX);
  const asked = await askedBy(session.project, name);
  if (printer.jsonMode) {
    printer.json({
      schema: "blast.why/1",
      name,
      version: found.version.toString(),
      requested: found.requested,
      asked,
      chains: shown.map((chain) =>
        chain.map(({ from, requirement }) => ({
          package: from,
          requires: `${requirement.name}${requirement.specifier}`,
        })),
      ),
      complete: chains.length <= CHAINS_MAX,
    });
    return 0;
  }
  printer.out(`${name} ${found.version}`);
  for (const { text, origin } of asked) printer.out(`  asked for: ${text} (${origin})`);
  if (found.requested && asked.length === 0) printer.out("  asked for by name");
  for (const chain of shown) printer.out(`  ${chainText(graph, chain)}`);
  if (chains.length > CHAINS_MAX) printer.out("  and further chains");
  if (chains.length === 0 && !found.requested && asked.length === 0) {
    printer.out("  nothing needs it: `blast sync` would remove it");
  }
  return 0;
}

/** From the top down to the package: who asks whom. Circles are followed once. */
function chainsTo(graph: InstalledGraph, name: PackageName): Edge[][] {
  const chains: Edge[][] = [];
  const climb = (at: PackageName, below: readonly Edge[], seen: ReadonlySet<PackageName>): void => {
    if (chains.length > CHAINS_MAX) return;
    const edges = graph.neededBy(at).filter(({ from }) => !seen.has(from));
    const isTop = edges.length === 0 || graph.byName.get(at)?.requested === true;
    if (isTop && below.length > 0) chains.push([...below]);
    for (const edge of edges) climb(edge.from, [edge, ...below], new Set([...seen, edge.from]));
  };
  climb(name, [], new Set([name]));
  return chains.sort((a, b) => a.length - b.length);
}

function chainText(graph: InstalledGraph, chain: readonly Edge[]): string {
  const [first] = chain;
  if (first === undefined) return "";
  const top = `${first.from} ${graph.byName.get(first.from)?.version ?? ""}`;
  const steps = chain.map(({ requirement, extra }) => {
    const by = extra === undefined ? "" : ` [extra ${extra}]`;
    return ` -> ${requirement.name}${requirement.specifier}${by}`;
  });
  return `${top}${steps.join("")}`;
}

async function askedBy(
  project: Project,
  name: PackageName,
): Promise<{ readonly text: string; readonly origin: string }[]> {
  const sets = await project.sets();
  return sets.flatMap(({ requirements }) =>
    requirements.filter((one) => one.name === name).map(({ text, origin }) => ({ text, origin })),
  );
}

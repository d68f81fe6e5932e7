import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { PepError } from "../pep/error.ts";
import { type PackageName, parsePackageName } from "../pep/name.ts";
import { setsFor } from "../sync/dynamic-sets.ts";
import { installedGraph } from "../sync/installed-graph.ts";
import { untilFirst } from "../sync/overtaken.ts";
import { openPlace, type Place } from "../sync/place.ts";
import { reportChange } from "../sync/report-change.ts";
import type { Session } from "../sync/session.ts";
import { syncProject } from "../sync/sync-project.ts";
import type { UpdateRequest } from "../sync/update-installed.ts";
import { commandText, openSession } from "./open-session.ts";
import type { UpdateArgs } from "./update.ts";

/** Takes newer versions. */
export function run(context: CommandContext<UpdateArgs>): Promise<number> {
  return untilFirst(() => update(context));
}

async function update(context: CommandContext<UpdateArgs>): Promise<number> {
  const startedMs = performance.now();
  const { args, printer } = context;
  const session = await openSession(printer, { ...args, refresh: true });
  const dryRun = args["dry-run"];
  const place = await openPlace(session, { python: args.python, create: true, dryRun });
  const { force_updates: isForced, update_dependencies: follows } = session.config.values.updates;
  const named = args.package.map(packageName);
  const names = follows ? withNeeds(named, place) : named;
  await refuseUnknown(session, place, named);
  const wanted = names.length === 0 ? undefined : new Set(names);
  const common = {
    flags: args,
    ...(isForced ? { reinstall: (name: PackageName) => wanted?.has(name) ?? true } : {}),
    dryRun,
    compileBytecode: session.config.values.install.compile_bytecode,
    command: commandText(context),
  };
  const speaks = place.isProjects && session.project.exists;
  const { outcome, files } = speaks
    ? await syncProject(session, place, {
        ...common,
        exact: false,
        locked: false,
        frozen: false,
        upgrade: wanted ?? "all",
      })
    : await updateAlone(session, place, { ...common, names: wanted });
  reportChange(printer, outcome, {
    command: "update",
    environment: place.environment.root,
    dryRun,
    seconds: (performance.now() - startedMs) / 1000,
    files,
  });
  return 0;
}

async function updateAlone(session: Session, place: Place, request: UpdateRequest) {
  const { updateInstalled } = await import("../sync/update-installed.ts");
  return { outcome: await updateInstalled(session, place, request), files: [] };
}

async function refuseUnknown(
  session: Session,
  place: Place,
  names: readonly PackageName[],
): Promise<void> {
  if (names.length === 0) return;
  const { checkUpdatable } = await import("../sync/update-installed.ts");
  const sets = place.isProjects
    ? await setsFor(session, place.interpreter)
    : await session.project.sets();
  const asked = sets.flatMap(({ requirements }) => requirements.flatMap(({ name }) => name ?? []));
  const held = place.planned?.versions.keys() ?? [];
  checkUpdatable(names, place.environment.installed(), [...asked, ...held]);
}

/** The names, and all that those packages need ([updates] update_dependencies). */
function withNeeds(named: readonly PackageName[], place: Place): PackageName[] {
  const graph = installedGraph(place.environment.installed(), place.interpreter.markers);
  const found = new Set<PackageName>();
  const visit = (name: PackageName): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const { requirement } of graph.needs(name)) visit(requirement.name);
  };
  for (const name of named) visit(name);
  return [...found];
}

/** A name of the command line. @throws {Fault} E_USAGE */
export function packageName(text: string): PackageName {
  try {
    return parsePackageName(text);
  } catch (error) {
    if (!(error instanceof PepError)) throw error;
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot use "${text}": it is no package name`,
      hint: "names only here, without versions",
    });
  }
}

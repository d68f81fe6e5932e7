import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { formatTable } from "../../kit/text/table.ts";
import type { PythonBuild } from "../python/builds.ts";
import { type ListedPython, listPythons } from "../python/find.ts";
import {
  matchesRequest,
  matchesVersion,
  type PythonRequest,
  parseRequest,
} from "../python/request.ts";
import type { PythonListArgs } from "./python-list.ts";

/** Lists the interpreters. */
export async function run(context: CommandContext<PythonListArgs>): Promise<number> {
  const { args, printer } = context;
  const request = parseRequest(args.request ?? "any", "the command line");
  const everywhere = await listPythons({ environment: process.env, folder: process.cwd() });
  const installed = everywhere.filter(({ interpreter }) => matchesRequest(interpreter, request));
  const builds = args["only-installed"] ? [] : await buildsOrNone(context, request);
  const there = new Set(installed.map(({ interpreter }) => interpreter.version));
  const missing = builds.filter(({ version }) => !there.has(version));
  const shown = args["all-versions"] ? missing : newestOfEach(missing);
  if (printer.jsonMode) {
    for (const python of installed) printer.json(jsonOf(python));
    for (const build of shown) printer.json(jsonOfBuild(build));
    return 0;
  }
  const rows = [
    ...installed.map(({ interpreter, place }) => [
      nameOf(interpreter.implementation, interpreter.version, interpreter.isFreeThreaded),
      place,
      interpreter.path,
    ]),
    ...shown.map((build) => [
      nameOf(build.implementation, build.version, build.freeThreaded),
      "can be installed",
      "",
    ]),
  ];
  const columns = [{ title: "Python" }, { title: "Found in" }, { title: "Path" }];
  for (const line of formatTable(columns, rows)) printer.out(line);
  return 0;
}

/** Not to know what could be installed is no failure of a list of what is. */
async function buildsOrNone(
  { args, printer }: CommandContext<PythonListArgs>,
  request: PythonRequest,
): Promise<PythonBuild[]> {
  const [{ availableBuilds }, { sourcesOf }] = await Promise.all([
    import("../python/install.ts"),
    import("./python-sources.ts"),
  ]);
  const sources = await sourcesOf(args);
  const isDefault = sources.mirror === undefined && sources.downloadsJson === undefined;
  try {
    // Nobody named a place to ask: a machine without network must not wait for it.
    const patience = isDefault ? { timeoutMs: 3000, retries: 0 } : {};
    const builds = await availableBuilds({ ...sources, ...patience });
    return request.kind === "version"
      ? builds.filter((build) => matchesVersion(build.version, request))
      : builds;
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "E_NETWORK" || !isDefault) throw error;
    printer.note(`What could be installed is not known: ${error.message}`);
    return [];
  }
}

/** Of each minor version the newest; the list is sorted so. */
function newestOfEach(builds: readonly PythonBuild[]): PythonBuild[] {
  const seen = new Set<string>();
  return builds.filter(({ implementation, version, freeThreaded, debug }) => {
    const minor = version.split(".").slice(0, 2).join(".");
    const key = `${implementation} ${minor} ${freeThreaded} ${debug}`;
    return !seen.has(key) && seen.add(key).size > 0;
  });
}

function nameOf(implementation: string, version: string, freeThreaded: boolean): string {
  return `${implementation} ${version}${freeThreaded ? "t" : ""}`;
}

function jsonOf({ interpreter, place }: ListedPython): Record<string, unknown> {
  const { version, implementation, path, prefix, isFreeThreaded } = interpreter;
  return {
    schema: "blast.python/1",
    installed: true,
    implementation,
    version,
    freeThreaded: isFreeThreaded,
    place,
    path,
    prefix,
  };
}

function jsonOfBuild(build: PythonBuild): Record<string, unknown> {
  const { key, implementation, version, freeThreaded, url } = build;
  return {
    schema: "blast.python/1",
    installed: false,
    implementation,
    version,
    freeThreaded,
    key,
    url,
  };
}

import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, delimiter, dirname, resolve } from "node:path";
import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { runInPlace } from "../../kit/proc/exec.ts";
import { choosePython } from "../python/find.ts";
import { untilFirst } from "../sync/overtaken.ts";
import { environmentFolder, findOptions, openPlace, type Place } from "../sync/place.ts";
import { reportChange } from "../sync/report-change.ts";
import type { Session } from "../sync/session.ts";
import { syncProject } from "../sync/sync-project.ts";
import { isUpToDate } from "../sync/up-to-date.ts";
import { commandText, openSession } from "./open-session.ts";
import type { RunArgs } from "./run.ts";

const NOT_FOUND = 127;

/** Runs a program in the environment. */
export async function run(context: CommandContext<RunArgs>): Promise<number> {
  const { args, printer } = context;
  const session = await openSession(printer, args);
  const [program = "", ...rest] = args.command;
  const script = isScript(program) ? resolve(program) : undefined;
  let current: Session | undefined = session;
  const { python, root, scripts } = await untilFirst(async () => {
    const fresh = current ?? (await openSession(printer, args));
    current = undefined;
    const own = script === undefined ? undefined : await placeOfScript(context, fresh, script);
    return own === undefined ? runnerOfProject(context, fresh) : runnerIn(own);
  });
  const path = [scripts, process.env["PATH"] ?? ""].join(delimiter);
  const variables: Record<string, string | undefined> = {
    ...process.env,
    PATH: path,
    ...(root === undefined ? {} : { VIRTUAL_ENV: root }),
    PYTHONHOME: undefined,
  };
  const argv = script === undefined ? [program, ...rest] : ["python", program, ...rest];
  const file = script === undefined ? Bun.which(program, { PATH: path }) : python;
  if (file === null) {
    printer.error(
      new Fault({
        code: "E_NOT_FOUND",
        message: `Cannot run "${program}": neither the environment nor PATH has it`,
        hint: `\`blast install ${basename(program)}\` may bring it`,
      }),
    );
    return NOT_FOUND;
  }
  printer.flush();
  try {
    return await runInPlace({ path: file, argv, environment: variables });
  } catch (error) {
    // The file is there: what its first line names is not.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const { scriptInterpreter } = await import("../env/check-files.ts");
    const needed = scriptInterpreter(file);
    const what = needed === undefined ? "what it needs" : `"${needed}", which starts it,`;
    printer.error(
      new Fault({
        code: "E_NOT_FOUND",
        message: `Cannot run "${file}": ${what} is not there`,
        hint: "where the environment was moved, `blast check --repair` puts its scripts in order",
      }),
    );
    return NOT_FOUND;
  }
}

function isScript(program: string): boolean {
  return program.endsWith(".py") && existsSync(program);
}

/** What a program is run with. */
interface Runner {
  readonly python: string;
  /** The folder that goes before PATH. */
  readonly scripts: string;
  /** Of the environment; undefined for a Python that is in none. */
  readonly root: string | undefined;
}

function runnerIn({ environment }: Place): Runner {
  const { kind, paths, python, root } = environment;
  return { python, scripts: paths.scripts, root: kind === "venv" ? root : undefined };
}

/** Outside of projects nothing is made only because something is run. */
async function runnerOfProject(
  context: CommandContext<RunArgs>,
  session: Session,
): Promise<Runner> {
  const isThere = session.project.exists || existsSync(environmentFolder(session));
  if (isThere) return runnerIn(await placeOfProject(context, session));
  const { interpreter } = await choosePython(context.args.python, findOptions(session));
  const { executable } = interpreter;
  return { python: executable, scripts: dirname(executable), root: undefined };
}

/** The project's environment, brought up to date. */
async function placeOfProject(context: CommandContext<RunArgs>, session: Session): Promise<Place> {
  const { args } = context;
  const place = await openPlace(session, { python: args.python, create: args.sync });
  const follows = session.config.values.sync.pkg_layer === "automatic" || place.created;
  if (!args.sync || !follows || !place.isProjects) return place;
  if (isUpToDate(session, place, args)) return place;
  const startedMs = performance.now();
  const { outcome, files } = await syncProject(session, place, {
    flags: args,
    exact: false,
    locked: args.locked,
    frozen: args.frozen,
    dryRun: false,
    compileBytecode: session.config.values.install.compile_bytecode,
    command: commandText(context),
  });
  if (outcome.installed.length + outcome.removed.length > 0) {
    reportChange(session.printer, outcome, {
      command: "run",
      environment: place.environment.root,
      dryRun: false,
      seconds: (performance.now() - startedMs) / 1000,
      files,
    });
  }
  return place;
}

/** Undefined for a folder, which Python runs as well. */
function textOf(script: string): string | undefined {
  if (statSync(script).isDirectory()) return undefined;
  try {
    return readFileSync(script, "utf8");
  } catch (error) {
    throw new Fault({
      code: "E_IO",
      message: `Cannot read "${script}": ${reasonOf(error)}`,
      cause: error,
    });
  }
}

/** A script with requirements of its own (PEP 723) has an environment of its own. */
async function placeOfScript(
  context: CommandContext<RunArgs>,
  session: Session,
  script: string,
): Promise<Place | undefined> {
  const text = textOf(script);
  if (text?.includes("# /// script") !== true) return undefined;
  const { scriptPlace } = await import("../sync/script-environment.ts");
  return scriptPlace(session, script, text, {
    flags: context.args,
    python: context.args.python,
    command: commandText(context),
  });
}

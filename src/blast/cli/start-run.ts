import { statSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { isTerminal } from "../../kit/out/tty.ts";
import { recordEnvironment } from "../env/registry.ts";
import { allowFolders } from "../shell/allowed.ts";
import type { Activation } from "../shell/channel.ts";
import { enterCode, openShellChannel } from "../shell/channel.ts";
import { logicalFolder, openStarted, type Started } from "../shell/open-started.ts";
import { initLine, ownProgram } from "../shell/program.ts";
import { parseVariables } from "../shell/variables.ts";
import { untilFirst } from "../sync/overtaken.ts";
import type { Place } from "../sync/place.ts";
import { openProject } from "../sync/project.ts";
import { reportChange } from "../sync/report-change.ts";
import { Session } from "../sync/session.ts";
import { syncProject } from "../sync/sync-project.ts";
import { commandText } from "./open-session.ts";
import type { StartArgs } from "./start.ts";

/** Makes the environment, fills it, and changes the shell or begins one. */
export async function run(context: CommandContext<StartArgs>): Promise<number> {
  const startedMs = performance.now();
  const { args, printer } = context;
  const channel = openShellChannel(process.env);
  const variables = parseVariables(args.env);
  const name = nameOf(args.name, args.environment);
  const session = await openSessionAt(context, args.path);
  const started = await openStarted(session, { python: args.python, name });
  const packagesFollow = session.config.values.sync.pkg_layer === "automatic";
  if (args.sync && (packagesFollow || started.created)) {
    const command = commandText({ ...context, argv: context.argv.map(withoutValue(args.env)) });
    let current: Session | undefined = session;
    await untilFirst(async () => {
      const fresh = current ?? (await openSessionAt(context, args.path));
      current = undefined;
      await fill(fresh, started.place, command);
    });
  }
  const venv = started.place.environment.root;
  const folder = logicalFolder(session.project.folder, process.env);
  const activation: Activation = { venv, name: started.name, folder, variables };
  remember(session, started, folder);
  report(context, { session, started, seconds: (performance.now() - startedMs) / 1000 });
  if (channel !== undefined) {
    channel.send(enterCode(channel.shell, activation));
    return 0;
  }
  // What a script or a pipe is to get is the environment, not a shell that waits for input.
  if (printer.jsonMode || !isTerminal(0) || !isTerminal(1)) return 0;
  printer.note(`A shell begins; \`exit\` or \`deactivate\` ends it. ${integrationNote()}`);
  printer.flush();
  const { runSubshell } = await import("../shell/subshell.ts");
  return runSubshell(process.env, activation, ownProgram(process.argv0));
}

/** Variables may hold secrets: of them the history has the names alone. */
function withoutValue(variables: readonly string[]): (word: string) => string {
  return (word) => {
    const given = variables.find((one) => word.endsWith(one));
    return given === undefined ? word : word.slice(0, -given.length) + given.replace(/=.*/s, "=…");
  };
}

/** Brings the packages in line with what the project asks for; says something if it changes any. */
async function fill(session: Session, place: Place, command: string): Promise<void> {
  const startedMs = performance.now();
  const { outcome, files } = await syncProject(session, place, {
    flags: {},
    exact: false,
    locked: false,
    frozen: false,
    dryRun: false,
    compileBytecode: session.config.values.install.compile_bytecode,
    command,
  });
  if (session.printer.jsonMode) return;
  if (outcome.installed.length + outcome.removed.length === 0) return;
  reportChange(session.printer, outcome, {
    command: "start",
    environment: place.environment.root,
    dryRun: false,
    seconds: (performance.now() - startedMs) / 1000,
    files,
  });
}

function integrationNote(): string {
  return `To change your own shell instead: ${initLine(process.env["SHELL"])}`;
}

function nameOf(flag: string | undefined, word: string | undefined): string | undefined {
  if (flag !== undefined && word !== undefined && flag !== word) {
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot name the environment both "${word}" and "${flag}"`,
      hint: "leave one of the two away",
    });
  }
  const name = flag ?? word;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  if (name !== undefined && (name.trim() === "" || /[\u0000-\u001f\u007f]/.test(name))) {
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot name the environment "${name}"`,
      hint: "a name is one line of text, and not empty",
    });
  }
  return name;
}

async function openSessionAt(
  context: CommandContext<StartArgs>,
  path: string | undefined,
): Promise<Session> {
  const folder = path === undefined ? process.cwd() : resolve(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot start in "${folder}": there is no such folder`,
      hint: "make it first, or correct --path",
    });
  }
  const project = await openProject(folder, process.env, { exactly: path !== undefined });
  for (const { key, origin } of project.config.ineffective) {
    context.printer.verbose(`${key} of ${origin} has no effect yet`);
  }
  // What is active now must not be taken for this folder's own.
  const environment = { ...process.env, VIRTUAL_ENV: undefined };
  return new Session({ printer: context.printer, folder, environment, project, flags: {} });
}

function remember(session: Session, started: Started, folder: string): void {
  const { place, name } = started;
  const venv = place.environment.root;
  const { version, path } = place.interpreter;
  const project = session.project.folder;
  recordEnvironment(process.env, { path: venv, name, project, python: { version, path } });
  try {
    allowFolders(process.env, [folder, project], venv);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    session.printer.warn(`cd will not activate "${project}": ${error.message}`);
  }
}

function report(
  { printer }: CommandContext<StartArgs>,
  outcome: { readonly session: Session; readonly started: Started; readonly seconds: number },
): void {
  const { started, session, seconds } = outcome;
  const { place, name, created } = started;
  const { version, path } = place.interpreter;
  const venv = place.environment.root;
  if (printer.jsonMode) {
    printer.json({
      schema: "blast.start/1",
      name,
      environment: venv,
      project: session.project.folder,
      created,
      python: { version, path, executable: place.interpreter.executable },
    });
    return;
  }
  const idle = session.project.config.ineffective.length;
  if (idle > 0 && printer.level < 1) {
    const keys = idle === 1 ? "1 setting has" : `${idle} settings have`;
    printer.note(`${keys} no effect yet; \`blast status\` tells which`);
  }
  const shown = relative(process.cwd(), venv);
  const where = shown !== "" && !shown.startsWith("..") ? shown : venv;
  const verb = created ? "Made" : "Ready:";
  printer.note(`${verb} ${where} "${name}" with Python ${version} in ${seconds.toFixed(2)} s`);
}

import { resolve } from "node:path";
import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { type Inputs, readInputs } from "../sync/inputs.ts";
import { isLockAlone } from "../sync/lock-alone.ts";
import { untilFirst } from "../sync/overtaken.ts";
import { openPlace } from "../sync/place.ts";
import { reportChange } from "../sync/report-change.ts";
import type { InstallArgs } from "./install.ts";
import { commandText, openSession } from "./open-session.ts";

/** Installs what is named, in the project's own way or directly. */
export function run(context: CommandContext<InstallArgs>): Promise<number> {
  return untilFirst(() => install(context));
}

async function install(context: CommandContext<InstallArgs>): Promise<number> {
  const startedMs = performance.now();
  const { args, printer } = context;
  const session = await openSession(printer, { ...args, refresh: args.refresh || args.upgrade });
  const { folder, environment } = session;
  const pip = await session.pip();
  const inputs = await readInputs({ ...args, words: args.package }, { folder, environment, pip });
  for (const note of inputs.notes) printer.warn(note);
  session.addFlags(inputs.index);
  const names = inputs.named.length + inputs.listed.length;
  const isForProject =
    session.project.exists && args.python === undefined && inputs.listed.length === 0;
  if (names === 0 && !isForProject) throw nothingToInstall(args.requirement.length > 0);
  const place = await openPlace(session, {
    python: args.python,
    create: args.python === undefined || !/[/\\]/.test(args.python),
    dryRun: args["dry-run"],
  });
  const flags = {
    ...args,
    pre: args.pre || inputs.pre,
    "no-binary": [...inputs.noBinary, ...args["no-binary"]],
    "only-binary": [...inputs.onlyBinary, ...args["only-binary"]],
  };
  const common = {
    dryRun: args["dry-run"],
    compileBytecode: args["compile-bytecode"] || session.config.values.install.compile_bytecode,
    command: commandText(context),
  };
  const isAlone = inputs.named.length > 0 && isLockAlone(session.project);
  const unrecorded = isAlone
    ? "pylock.toml alone does not say what was asked for"
    : unrecordable(args, inputs, session.project.folder);
  const isAsked = args.record && args.python === undefined && inputs.listed.length === 0;
  if (isAsked && unrecorded !== undefined && place.isProjects) {
    printer.note(`Not recorded in the project: ${unrecorded}`);
  }
  const isRecorded = isAsked && unrecorded === undefined;
  if (isRecorded && (place.isProjects || !session.project.exists)) {
    const { installInProject } = await import("../sync/install-in-project.ts");
    const done = await installInProject(session, place, { inputs, args, flags, ...common });
    reportChange(printer, done.outcome, {
      command: "install",
      environment: place.environment.root,
      dryRun: common.dryRun,
      seconds: (performance.now() - startedMs) / 1000,
      files: done.files,
    });
    return 0;
  }
  const { installDirect } = await import("../sync/install-direct.ts");
  const outcome = await installDirect(session, place, {
    requirements: [...inputs.named, ...inputs.listed],
    constraints: [...inputs.constraints, ...session.project.constraints],
    overrides: [...inputs.overrides, ...session.project.overrides],
    flags,
    upgrade: args.upgrade,
    noDependencies: !args.deps,
    requireHashes: args["require-hashes"] || inputs.requireHashes,
    exact: false,
    ...common,
  });
  reportChange(printer, outcome, {
    command: "install",
    environment: place.environment.root,
    dryRun: common.dryRun,
    seconds: (performance.now() - startedMs) / 1000,
    files: [],
  });
  return 0;
}

/** What no file of a project has a place for; undefined where all of it can be recorded. */
function unrecordable(
  args: CommandContext<InstallArgs>["args"],
  inputs: Inputs,
  folder: string,
): string | undefined {
  if (!args.deps) return "--no-deps";
  if (args["require-hashes"]) return "--require-hashes";
  const editable = inputs.named.find(({ editable: asked, source }) => {
    const isOwn = source?.kind === "directory" && resolve(source.path) === folder;
    return asked && !isOwn;
  });
  return editable === undefined ? undefined : `-e ${editable.text}`;
}

function nothingToInstall(hasFiles: boolean): Fault {
  return new Fault({
    code: "E_USAGE",
    message: hasFiles
      ? "Cannot install: the requirements files ask for nothing"
      : "Cannot install: nothing is named, and there is no project here",
    hint: "name packages, as in: blast install flask",
  });
}

import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { readInputs } from "../sync/inputs.ts";
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
  const session = await openSession(printer, args);
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
  const isRecorded = args.record && args.python === undefined && inputs.listed.length === 0;
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

function nothingToInstall(hasFiles: boolean): Fault {
  return new Fault({
    code: "E_USAGE",
    message: hasFiles
      ? "Cannot install: the requirements files ask for nothing"
      : "Cannot install: nothing is named, and there is no project here",
    hint: "name packages, as in: blast install flask",
  });
}

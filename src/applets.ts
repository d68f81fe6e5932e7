/** The names that the executable answers to; the only place where the rooms meet. */
import type { CommandSpec } from "./kit/cli/command.ts";
import type { CommandModel } from "./kit/cli/model.ts";
import {
  createAdminWorker,
  createCopyWorker,
  createInstallWorker,
  createPackageWorker,
  createPageWorker,
  createReceiveWorker,
  createSendWorker,
  createUnpackWorker,
} from "./workers.ts";

const workers = {
  createAdminWorker,
  createCopyWorker,
  createInstallWorker,
  createPageWorker,
  createPackageWorker,
  createReceiveWorker,
  createSendWorker,
  createUnpackWorker,
};

type LoadSpec = () => Promise<CommandSpec> | CommandSpec;

/** The tools by name. Hidden ones are dispatched and listed nowhere. */
const TOOLS: Readonly<Record<string, LoadSpec>> = {
  blast: loadBlast,
  blit: loadBlit,
  "blit-utils": loadBlitUtils,
  blitd: loadBlitDaemon,
  rastos: loadRastos,
  init: loadInit,
  rinit: loadInit,
};

/** The executable's own name. */
const OWN_NAME = "triad";

/** Which tool is called, and under which name. */
export interface Applet {
  readonly name: string;
  readonly load: LoadSpec;
}

/**
 * The tool for the name that the process was called by: the last part of argv[0], without `.exe`.
 * Every name that is no tool's is triad itself, so that a renamed executable still works.
 */
export function appletFor(argv0: string): Applet {
  const name = argv0.slice(Math.max(argv0.lastIndexOf("/"), argv0.lastIndexOf("\\")) + 1);
  const plain = name.toLowerCase().endsWith(".exe") ? name.slice(0, -".exe".length) : name;
  const load = Object.hasOwn(TOOLS, plain) ? TOOLS[plain] : undefined;
  return load === undefined ? { name: OWN_NAME, load: loadTriad } : { name: plain, load };
}

/** triad and every tool that is listed, described in full: for completions, man pages and docs. */
export async function documentedTools(): Promise<readonly CommandModel[]> {
  const { listedTools } = await import("./triad/door.ts");
  return listedTools({ tools: TOOLS, triad: loadTriad });
}

async function loadBlit(): Promise<CommandSpec> {
  const { blitCommand, plugIn } = await import("./blit/door.ts");
  plugIn(workers);
  return blitCommand;
}

async function loadBlitUtils(): Promise<CommandSpec> {
  const { loadUtils, plugIn } = await import("./blit/door.ts");
  plugIn(workers);
  return loadUtils();
}

async function loadBlitDaemon(): Promise<CommandSpec> {
  const { loadBlitd, plugIn } = await import("./blit/door.ts");
  plugIn(workers);
  return loadBlitd();
}

async function loadBlast(): Promise<CommandSpec> {
  const { blastCommand, plugIn } = await import("./blast/door.ts");
  plugIn(workers);
  return blastCommand;
}

async function loadRastos(): Promise<CommandSpec> {
  const { rastosCommand, plugIn } = await import("./rastos/door.ts");
  plugIn(workers);
  return rastosCommand;
}

async function loadInit(): Promise<CommandSpec> {
  return (await import("./rastos/door.ts")).loadInit();
}

async function loadTriad(): Promise<CommandSpec> {
  const { triadCommand } = await import("./triad/door.ts");
  return triadCommand({ tools: TOOLS, triad: loadTriad });
}

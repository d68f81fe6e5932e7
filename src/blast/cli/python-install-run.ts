import type { CommandContext } from "../../kit/cli/command.ts";
import type { Printer } from "../../kit/out/printer.ts";
import { formatBytes } from "../../kit/text/format.ts";
import type { OnBytes } from "../python/fetch.ts";
import { availableBuilds, chooseBuild, installBuild } from "../python/install.ts";
import { findPin } from "../python/pin.ts";
import { parseRequest } from "../python/request.ts";
import type { PythonInstallArgs } from "./python-install.ts";
import { sourcesOf } from "./python-sources.ts";

/** Installs what is asked for. */
export async function run(context: CommandContext<PythonInstallArgs>): Promise<number> {
  const { args, printer } = context;
  const sources = await sourcesOf(args);
  const builds = await availableBuilds(sources);
  const pinned = findPin(process.cwd())?.version ?? "any";
  const texts = args.request.length > 0 ? args.request : [pinned];
  const origin = sources.downloadsJson ?? sources.mirror ?? "python-build-standalone";
  // All of them are chosen before the first is fetched.
  const chosen = texts.map((text) =>
    chooseBuild(builds, parseRequest(text, "the command line"), origin),
  );
  for (const build of chosen) {
    const done = await installBuild(build, {
      ...sources,
      reinstall: args.reinstall,
      onBytes: progressOf(printer, build.key),
    });
    printer.transient("");
    const { interpreter, folder, wasThere } = done;
    const { path, version } = interpreter;
    if (printer.jsonMode) {
      const { key } = build;
      printer.json({ schema: "blast.python-install/1", key, version, path, folder, wasThere });
    } else {
      printer.note(`${wasThere ? "Already there:" : "Installed"} Python ${version} in ${folder}`);
    }
  }
  return 0;
}

const STEP_MS = 100;

function progressOf(printer: Printer, key: string): OnBytes {
  const isShown = printer.progressMode && printer.level === 0 && printer.isTerminal(2);
  let lastMs = 0;
  return (doneBytes, totalBytes) => {
    const nowMs = performance.now();
    if (!isShown || nowMs - lastMs < STEP_MS) return;
    lastMs = nowMs;
    const total = totalBytes === undefined ? "" : ` of ${formatBytes(totalBytes)}`;
    printer.transient(`Fetching ${key}: ${formatBytes(doneBytes)}${total}`);
  };
}

import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { listEnvironments } from "../env/registry.ts";
import { ownPythons, uninstallPython } from "../python/install.ts";
import { ownPythonFolder } from "../python/places.ts";
import { matchesVersion, parseRequest } from "../python/request.ts";
import type { PythonUninstallArgs } from "./python-uninstall.ts";

/** Removes what is named. */
export async function run(context: CommandContext<PythonUninstallArgs>): Promise<number> {
  const { args, printer } = context;
  const own = ownPythons(process.env);
  const keys = new Set(args.request.flatMap((text) => keysFor(text, own)));
  const root = ownPythonFolder(process.env);
  for (const key of keys) {
    const folder = `${root}/${key}`;
    for (const { path, python, state } of listEnvironments(process.env)) {
      if (state === "ready" && python.path.startsWith(`${folder}/`)) {
        printer.warn(
          `The environment "${path}" uses it`,
          "it is made anew when it is next started",
        );
      }
    }
    if (!args["dry-run"]) uninstallPython(process.env, key);
    if (printer.jsonMode) printer.json({ schema: "blast.python-uninstall/1", key, folder });
    else printer.note(`${args["dry-run"] ? "Would remove" : "Removed"} ${folder}`);
  }
  return 0;
}

function keysFor(text: string, own: readonly string[]): string[] {
  if (own.includes(text)) return [text];
  const request = parseRequest(text, "the command line");
  const found = own.filter((key) => {
    const [, implementation, version, threads] =
      /^([a-z]+)-(\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)(\+freethreaded)?/.exec(key) ?? [];
    if (version === undefined || request.kind !== "version") return false;
    if ((request.implementation ?? implementation) !== implementation) return false;
    return request.freeThreaded === (threads !== undefined) && matchesVersion(version, request);
  });
  if (found.length > 0) return found;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot remove Python "${text}": blast has not installed it`,
    hint: own.length === 0 ? "it has installed none" : `it has installed ${own.join(", ")}`,
  });
}

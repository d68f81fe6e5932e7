import { lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { formatCount } from "../../kit/text/format.ts";
import type { TriadPorts } from "../ports.ts";
import type { LinksArgs } from "./links.ts";

/**
 * Makes the links.
 *
 * @throws {Fault} E_REFUSED when something else has the name, or the sources run uncompiled; E_IO
 */
export async function run(
  context: CommandContext<LinksArgs>,
  ports: TriadPorts,
  executable: string = ownExecutable(),
): Promise<number> {
  const folder = resolve(context.args.directory);
  const names = Object.keys(ports.tools);
  attempt(`make the folder "${folder}"`, () => mkdirSync(folder, { recursive: true }));
  if (context.args.force !== true) {
    for (const name of names) {
      refuseForeign(join(folder, name), executable);
    }
  }
  const target = dirname(executable) === folder ? basename(executable) : executable;
  for (const name of names) {
    const path = join(folder, name);
    attempt(`make the link "${path}"`, () => replaceLink(path, target));
  }
  if (context.printer.jsonMode) {
    const links = names.map((name) => ({ path: join(folder, name), target }));
    context.printer.json({ schema: "triad.links/1", links });
  } else {
    context.printer.note(`Made ${formatCount(names.length, "link")} in ${folder}`);
  }
  return 0;
}

function ownExecutable(): string {
  if (!Bun.main.includes("$bunfs") && !Bun.main.includes("~BUN")) {
    throw new Fault({
      code: "E_REFUSED",
      message: "Cannot make links: this is triad's source, not the compiled executable",
      hint: 'build it with "bun run build", then call "dist/triad links DIR"',
    });
  }
  return process.execPath;
}

/** All or nothing: this runs for every name before the first link is made. */
function refuseForeign(path: string, executable: string): void {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) {
    return;
  }
  const target = status.isSymbolicLink() ? readlinkSync(path) : undefined;
  const isOurs = target !== undefined && [basename(executable), "triad"].includes(basename(target));
  if (!isOurs) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot make the link "${path}": something else is there`,
      hint: status.isDirectory() ? "it is a folder: move it away" : "--force replaces it",
    });
  }
}

/** The name is never without a link: the new one is renamed over the old one. */
function replaceLink(path: string, target: string): void {
  const temporary = `${path}.${process.pid}~`;
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function attempt(action: string, call: () => void): void {
  try {
    call();
  } catch (error) {
    throw new Fault({ code: "E_IO", message: `Cannot ${action}: ${reasonOf(error)}` });
  }
}

import type { Printer } from "../../kit/out/printer.ts";
import { formatTable } from "../../kit/text/table.ts";
import { listEnvironments as registered } from "../env/registry.ts";

/** `blast list --envs`: every environment of the user, the last used first. */
export function listEnvironments(printer: Printer): number {
  const all = registered(process.env);
  if (printer.jsonMode) {
    for (const { name, path, project, python, created, lastUsed, state } of all) {
      const used = lastUsed;
      printer.json({ schema: "blast.envs/1", name, path, project, python, created, used, state });
    }
    return 0;
  }
  if (all.length === 0) {
    printer.note("There is no environment yet: `blast start` makes one");
    return 0;
  }
  const rows = all.map(({ name, python, lastUsed, state, path }) => [
    name,
    python.version,
    lastUsed.slice(0, 16).replace("T", " "),
    state,
    path,
  ]);
  const titles = ["name", "python", "last used", "state", "folder"].map((title) => ({ title }));
  for (const line of formatTable(titles, rows)) printer.out(line);
  return 0;
}

import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { CommandContext } from "../../kit/cli/command.ts";
import { formatBytes } from "../../kit/text/format.ts";
import { sweepBuilds } from "../build/sweep-builds.ts";
import { cacheSizeMax } from "../config.ts";
import { forgetEnvironment, listEnvironments } from "../env/registry.ts";
import type { WheelStore } from "../wheel/store.ts";
import type { CleanArgs } from "./clean.ts";
import { openSession } from "./open-session.ts";
import { packageName } from "./update-run.ts";

/** What builds leave is small beside the store, and slow to make again. */
const BUILDS_UNUSED_MS = 30 * 24 * 3600 * 1000;

/** Makes cache and store smaller. */
export async function run(context: CommandContext<CleanArgs>): Promise<number> {
  const { args, printer } = context;
  const session = await openSession(printer, {});
  const store = await session.store();
  const entries = store.entries();
  const names = new Set<string>(args.package.map(packageName));
  const isDry = args["dry-run"];
  const limit = cacheSizeMax(session.config.values) ?? Number.POSITIVE_INFINITY;
  const isTrim = !args.all && names.size === 0;
  let removed = isTrim
    ? store.surplus({ diskBytesMax: limit })
    : entries.filter(({ name }) => args.all || (name !== undefined && names.has(name)));
  if (!isDry) {
    if (args.all) await removeAll(session.cacheFolder, store);
    else {
      if (isTrim) removed = await store.trim({ diskBytesMax: limit });
      else for (const { sha256 } of removed) await store.remove(sha256);
      sweepBuilds(session.cacheFolder, { nowMs: Date.now(), unusedMs: BUILDS_UNUSED_MS });
    }
  }
  const gone = listEnvironments(process.env).filter(({ state }) => state === "gone");
  if (!isDry) for (const { path } of gone) forgetEnvironment(process.env, path);
  const bytes = removed.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  if (printer.jsonMode) {
    printer.json({
      schema: "blast.clean/1",
      folder: session.cacheFolder,
      dryRun: isDry,
      wheels: removed.length,
      bytes,
      environments: gone.map(({ path }) => path),
    });
    return 0;
  }
  for (const { path } of gone) printer.note(`Forgotten: "${path}" is gone`);
  const verb = isDry ? "Would remove" : "Removed";
  const left = entries.length - removed.length;
  printer.note(
    `${verb} ${removed.length} wheels, ${formatBytes(bytes)}; ${left} stay in the store`,
  );
  return 0;
}

/** Everything but the locks: whoever waits for one must not get one of the same name. */
async function removeAll(cacheFolder: string, store: WheelStore): Promise<void> {
  using _alone = await store.holdAlone();
  const removeBut = (folder: string, kept: readonly string[]): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (kept.some((one) => one.startsWith(`${path}/`))) removeBut(path, kept);
      else if (!kept.includes(path)) rmSync(path, { recursive: true, force: true });
    }
  };
  removeBut(cacheFolder, [join(store.folder, "lock"), join(cacheFolder, "locks-v1")]);
}

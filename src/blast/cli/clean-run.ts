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

/**
 * What blast keeps in a cache folder. A folder that somebody has named for it may hold other things
 * as well, and the blast.toml of a stranger may name any folder.
 */
const OWN = new RegExp(
  [
    /^(?:answers|builds|files|git|links|locks|metadata|pages|scripts|wheels)-v\d+$/,
    /^\.?(?:default-index-v\d+\.json|python-builds\.json|pythons)(?:\.\w+\.tmp)?$/,
    /^trimmed$/,
  ]
    .map((part) => part.source)
    .join("|"),
);

/** Everything but the locks: whoever waits for one must not get one of the same name. */
async function removeAll(cacheFolder: string, store: WheelStore): Promise<void> {
  using _alone = await store.holdAlone();
  const kept = [join(store.folder, "lock"), join(cacheFolder, "locks-v1")];
  const remove = (path: string): void => {
    if (kept.includes(path)) return;
    if (!kept.some((one) => one.startsWith(`${path}/`))) {
      rmSync(path, { recursive: true, force: true });
    } else for (const name of readdirSync(path)) remove(join(path, name));
  };
  for (const name of readdirSync(cacheFolder)) if (OWN.test(name)) remove(join(cacheFolder, name));
}

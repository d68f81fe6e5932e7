import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import { createProgress } from "../../../kit/out/progress.ts";
import { writeFileAtomic } from "../../../kit/store/atomic.ts";
import { formatBytes, formatCount } from "../../../kit/text/format.ts";
import type { Backups } from "../../backup/backups.ts";
import { chainOf, planBackupRetention } from "../../backup/chain.ts";
import { CONFIG_PATHS, readBackupConfig } from "../../backup/config.ts";
import { makeKey } from "../../backup/key-file.ts";
import { openBackups } from "../../backup/open.ts";
import type { BackupConfig, BackupManifest } from "../../backup/types.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { openRoot } from "../../snapshot/root.ts";
import type { Snapshot, SystemState } from "../../snapshot/types.ts";
import { confirm } from "../snapshot/confirm.ts";
import { findSnapshot } from "../snapshot/find-snapshot.ts";
import { openTree } from "../snapshot/open-tree.ts";
import { reportDryRun } from "../snapshot/report.ts";
import type {
  CreateArgs,
  InitArgs,
  ListArgs,
  PruneArgs,
  RemoveArgs,
  RestoreArgs,
  VerifyArgs,
} from "./backup.ts";

type Context<A extends CreateArgs | ListArgs | RestoreArgs | VerifyArgs | RemoveArgs | PruneArgs> =
  Pick<CommandContext<A>, "args" | "printer" | "commandPath">;

async function open(
  context: Pick<Context<ListArgs>, "args" | "printer">,
): Promise<{ readonly backups: Backups; readonly config: BackupConfig; readonly path: string }> {
  const { config, notes, path } = await readBackupConfig(context.args.config);
  for (const note of notes) context.printer.warn(note);
  return { backups: await openBackups(config), config, path };
}

function backupJson(backup: BackupManifest): Readonly<Record<string, unknown>> {
  const { id, snapshot, parent, description, createdMs, bytes, chunks } = backup;
  const created = new Date(createdMs).toISOString();
  const [of, pieces] = [parent ?? null, chunks.length];
  return {
    schema: "rastos.backup/1",
    ...{ id, snapshot, parent: of, description, created, bytes, pieces },
  };
}

/** Keeps a snapshot. */
export async function create(context: Context<CreateArgs>): Promise<number> {
  const { args, printer } = context;
  const { backups } = await open(context);
  const { path: top } = openRoot({ root: args.root });
  const state = readTree(top);
  const snapshot = wantedSnapshot(state, args.snapshot);
  if (args["dry-run"]) {
    const text = `Would keep snapshot ${snapshot.id}`;
    reportDryRun(printer, text, { action: "backup", snapshot: snapshot.id });
    return 0;
  }
  const { description } = args;
  const isIncremental = !args.full;
  const progress = createProgress(printer, { label: "Keeping" });
  const onProgress = (doneBytes: number): void =>
    progress.update({ doneBytes, totalBytes: doneBytes, doneItems: 0, totalIsFinal: false });
  let made: BackupManifest;
  try {
    const request = { top, state, snapshot, isIncremental, description, onProgress };
    made = await backups.create(request);
  } finally {
    progress.finish();
  }
  if (printer.jsonMode) printer.json(backupJson(made));
  else {
    const upon = made.parent === undefined ? "" : `, upon ${made.parent}`;
    printer.note(
      `Kept snapshot ${snapshot.id} as backup ${made.id}: ${formatBytes(made.bytes)}${upon}`,
    );
  }
  return 0;
}

function wantedSnapshot(state: SystemState, text: string | undefined): Snapshot {
  if (text !== undefined) return findSnapshot(state, text);
  const newest = state.snapshots.at(-1);
  return newest ?? findSnapshot(state, "0");
}

/** Lists what there is. */
export async function list(context: Context<ListArgs>): Promise<number> {
  const { printer } = context;
  const { backups } = await open(context);
  const all = await backups.list(({ fault }) => printer.warn(fault.message, fault.hint));
  if (printer.jsonMode) {
    for (const backup of all) printer.json(backupJson(backup));
    return 0;
  }
  if (all.length === 0) printer.note("There is no backup yet: rastos backup create");
  for (const { id, snapshot, parent, bytes, description } of all) {
    const upon = parent === undefined ? "" : `, upon ${parent}`;
    const text = `${id}  snapshot ${snapshot}  ${formatBytes(bytes)}${upon}  ${description}`;
    printer.out(escapeControls(text.trimEnd()));
  }
  return 0;
}

/** Shows where and how much. */
export async function status(context: Context<ListArgs>): Promise<number> {
  const { printer } = context;
  const { backups, config, path } = await open(context);
  const { storage } = config;
  const where =
    storage.kind === "local" ? storage.path : `s3://${storage.bucket}/${storage.prefix}`;
  const usage = await backups.usage();
  const isEncrypted = config.keyPath !== undefined;
  if (printer.jsonMode) {
    const said = { config: path, storage: where, isEncrypted, ...usage };
    printer.json({ schema: "rastos.backup-status/1", ...said });
    return 0;
  }
  printer.out(`Storage     ${escapeControls(where)}`);
  printer.out(`Encrypted   ${isEncrypted ? `yes, with ${config.keyPath}` : "no"}`);
  printer.out(`Backups     ${usage.backups}`);
  printer.out(`Stored      ${formatBytes(usage.bytes)} in ${formatCount(usage.objects, "object")}`);
  return 0;
}

/** Makes a snapshot again. */
export async function restore(context: Context<RestoreArgs>): Promise<number> {
  const { args, printer } = context;
  const { backups } = await open(context);
  if (args["dry-run"]) {
    const chain = chainOf(await backups.list(() => undefined), args.backup).map(({ id }) => id);
    const text = `Would restore, unless it is here: ${chain.join(", ")}`;
    reportDryRun(printer, text, { action: "restore", backups: chain });
    return 0;
  }
  using tree = openTree(context, { isNew: true });
  const made = await backups.restore(tree, args.backup);
  const ids = made.map(({ id }) => id);
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.restored/1", backup: args.backup, snapshots: ids });
  } else if (ids.length === 0)
    printer.note(`The snapshot of backup ${args.backup} is here already`);
  else printer.note(`Restored backup ${args.backup} as snapshot ${ids.at(-1)}`);
  return 0;
}

/** Reads all, and names what is wrong. */
export async function verify(context: Context<VerifyArgs>): Promise<number> {
  const { args, printer } = context;
  const { backups } = await open(context);
  const problems = await backups.verify(args.backup);
  if (printer.jsonMode) printer.json({ schema: "rastos.backup-verified/1", problems });
  else if (problems.length === 0) printer.note("All is whole");
  if (problems.length === 0) return 0;
  const broken = new Set(problems.map(({ backup }) => backup));
  throw new Fault({
    code: "E_INTEGRITY",
    message: `${formatCount(broken.size, "backup")} cannot be restored`,
    excerpt: problems.slice(0, 20).map(({ backup, message }) => `${backup}: ${message}`),
    hint: "keep the snapshots again by `rastos backup create --full`",
  });
}

/** Removes those that are named. */
export async function remove(context: Context<RemoveArgs>): Promise<number> {
  const { args } = context;
  const { backups } = await open(context);
  const all = await backups.list();
  for (const id of args.backup) chainOf(all, id);
  return await removeThese(context, backups, args.backup, args.force);
}

/** Removes those that no rule keeps. */
export async function prune(context: Context<PruneArgs>): Promise<number> {
  const { backups, config } = await open(context);
  const ids = planBackupRetention(await backups.list(), config.retention);
  const code = await removeThese(context, backups, ids, false);
  if (!context.args["dry-run"]) await backups.sweep();
  return code;
}

async function removeThese(
  context: Pick<Context<PruneArgs>, "args" | "printer">,
  backups: Backups,
  ids: readonly string[],
  isForced: boolean,
): Promise<number> {
  const { args, printer } = context;
  const isDryRun = args["dry-run"];
  if (ids.length > 0 && !isDryRun) {
    await confirm({ printer, yes: args.yes, action: `Remove the backups ${ids.join(", ")}` });
    await backups.remove(ids, { isForced });
  }
  if (printer.jsonMode) printer.json({ schema: "rastos.backup-removed/1", dryRun: isDryRun, ids });
  else if (ids.length === 0) printer.note("There is nothing to remove");
  else printer.note(`${isDryRun ? "Would remove" : "Removed"} ${ids.join(", ")}`);
  return 0;
}

/** Writes the first backup.toml. */
export async function init(
  context: Pick<CommandContext<InitArgs>, "args" | "printer">,
): Promise<number> {
  const { args, printer } = context;
  const path = args.config ?? CONFIG_PATHS[0];
  if (existsSync(path)) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot write "${path}": it is there already`,
      hint: "change it by hand, or name another one by --config",
    });
  }
  const text = `${[...storageLines(args), ...encryptionLines(args)].join("\n")}\n`;
  if (args["dry-run"]) {
    printer.out(text.trimEnd());
    return 0;
  }
  const isNew = args.plain ? false : makeKey(args.key);
  mkdirSync(dirname(path), { recursive: true });
  writeFileAtomic({ path, content: text, mode: 0o600 });
  printer.note(`Wrote ${path}`);
  if (isNew) printer.warn(`Keep a copy of ${args.key} elsewhere: nothing can be read without it`);
  return 0;
}

function storageLines(args: Pick<CommandContext<InitArgs>, "args">["args"]): string[] {
  const { path, bucket, endpoint, region } = args;
  if ((path === undefined) === (bucket === undefined)) {
    throw new Fault({
      code: "E_USAGE",
      message: "Cannot tell where backups are to be kept",
      hint: "name a folder by --path, or a bucket by --bucket",
    });
  }
  const text = JSON.stringify;
  if (path !== undefined) return ["[storage]", 'type = "Local"', `path = ${text(path)}`];
  const at = endpoint === undefined ? [] : [`endpoint = ${text(endpoint)}`];
  const place = [`bucket = ${text(bucket)}`, `region = ${text(region)}`];
  return ["[storage]", 'type = "S3"', ...place, ...at];
}

function encryptionLines(args: Pick<CommandContext<InitArgs>, "args">["args"]): string[] {
  if (args.plain) return ["", "[encryption]", "enabled = false"];
  return ["", "[encryption]", "enabled = true", `key_path = ${JSON.stringify(args.key)}`];
}

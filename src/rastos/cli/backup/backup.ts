import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";

/** The flag of every command that works on backups. */
const CONFIG_ARG = {
  config: {
    type: "string",
    alias: "c",
    valueHint: "FILE",
    completes: "path",
    description: "Read this backup.toml instead of /etc/rast/backup.toml",
  },
} as const satisfies ArgsSpec;

const BACKUP_ARG = {
  backup: {
    type: "positional",
    required: true,
    valueHint: "BACKUP",
    description: "Id of a backup, as `rastos backup list` shows it",
  },
} as const satisfies ArgsSpec;

const DRY_RUN = { "dry-run": CHANGE_ARGS["dry-run"] } as const;
const YES = { yes: { type: "boolean", description: "Do not ask" } } as const satisfies ArgsSpec;

const CREATE_ARGS = {
  snapshot: {
    type: "positional",
    required: false,
    valueHint: "SNAPSHOT",
    description: "Number of a snapshot or name of a branch; the newest if none is named",
  },
  full: { type: "boolean", description: "Keep all of it, whatever other backups hold" },
  description: {
    type: "string",
    default: "",
    valueHint: "TEXT",
    description: "What `rastos backup list` shows; the snapshot's own if none is given",
  },
  ...CONFIG_ARG,
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos backup create`. */
export type CreateArgs = typeof CREATE_ARGS;

const createCommand = defineCommand({
  meta: {
    name: "create",
    description: "Keep a snapshot in the storage of backup.toml",
    synonyms: ["new", "add", "make"],
    details: `
      What other backups hold of it is not kept again: the backup builds upon the nearest one whose
      snapshot is still here. Pieces are compressed by zstd and, with [encryption], encrypted by
      AES-256-GCM before they leave this machine; the names of objects tell nothing then either.

      With --json one object is printed, with schema "rastos.backup/1".
    `,
  },
  args: CREATE_ARGS,
  examples: [
    { command: "rastos backup create", description: "The newest snapshot" },
    { command: "rastos backup create 3 --full", description: "Without building upon another" },
  ],
  run: async (context) => (await import("./backup-run.ts")).create(context),
});

const LIST_ARGS = { ...CONFIG_ARG } as const satisfies ArgsSpec;

/** The arguments of `rastos backup list` and `status`. */
export type ListArgs = typeof LIST_ARGS;

const listCommand = defineCommand({
  meta: {
    name: "list",
    description: "List the backups",
    synonyms: ["ls", "show"],
    details: 'With --json each backup is one line, with schema "rastos.backup/1".',
  },
  args: LIST_ARGS,
  examples: [{ command: "rastos backup list", description: "The oldest first" }],
  run: async (context) => (await import("./backup-run.ts")).list(context),
});

const statusCommand = defineCommand({
  meta: {
    name: "status",
    description: "Show where backups are kept, and how much there is",
    synonyms: ["info", "usage"],
    details: 'With --json one object is printed, with schema "rastos.backup-status/1".',
  },
  args: LIST_ARGS,
  examples: [{ command: "rastos backup status", description: "Storage, encryption, sizes" }],
  run: async (context) => (await import("./backup-run.ts")).status(context),
});

const RESTORE_ARGS = {
  ...BACKUP_ARG,
  ...CONFIG_ARG,
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos backup restore`. */
export type RestoreArgs = typeof RESTORE_ARGS;

const restoreCommand = defineCommand({
  meta: {
    name: "restore",
    description: "Make the snapshot of a backup again",
    details: `
      It becomes a new snapshot; nothing that is here changes. What the backup builds upon is
      restored before it, unless it is here. Deploy the snapshot to boot it.

      With --json one object is printed, with schema "rastos.restored/1": backup and snapshots.
    `,
  },
  args: RESTORE_ARGS,
  examples: [
    {
      command: "rastos backup restore 20261121-201500-3f9c --root /mnt",
      description: "Onto another disk",
    },
  ],
  run: async (context) => (await import("./backup-run.ts")).restore(context),
});

const VERIFY_ARGS = {
  backup: { ...BACKUP_ARG.backup, required: false, description: "Id of a backup; all of them" },
  ...CONFIG_ARG,
} as const satisfies ArgsSpec;

/** The arguments of `rastos backup verify`. */
export type VerifyArgs = typeof VERIFY_ARGS;

const verifyCommand = defineCommand({
  meta: {
    name: "verify",
    description: "Read every piece of the backups and compare it with its hash",
    synonyms: ["check", "fsck"],
    details: `With --json one object is printed, with schema "rastos.backup-verified/1".`,
  },
  args: VERIFY_ARGS,
  examples: [{ command: "rastos backup verify", description: "All of them" }],
  exitCodes: { 0: "All is whole", 1: "Something is damaged or gone; each is named" },
  run: async (context) => (await import("./backup-run.ts")).verify(context),
});

const REMOVE_ARGS = {
  backup: { ...BACKUP_ARG.backup, repeatable: true },
  force: { type: "boolean", description: "Also what other backups build upon" },
  ...CONFIG_ARG,
  ...DRY_RUN,
  ...YES,
} as const satisfies ArgsSpec;

/** The arguments of `rastos backup remove`. */
export type RemoveArgs = typeof REMOVE_ARGS;

const removeCommand = defineCommand({
  meta: {
    name: "remove",
    description: "Remove backups",
    synonyms: ["rm", "del", "delete"],
    details: 'With --json one object is printed, with schema "rastos.backup-removed/1".',
  },
  args: REMOVE_ARGS,
  examples: [{ command: "rastos backup remove 20261121-201500-3f9c", description: "One of them" }],
  run: async (context) => (await import("./backup-run.ts")).remove(context),
});

const PRUNE_ARGS = { ...CONFIG_ARG, ...DRY_RUN, ...YES } as const satisfies ArgsSpec;

/** The arguments of `rastos backup prune`. */
export type PruneArgs = typeof PRUNE_ARGS;

const pruneCommand = defineCommand({
  meta: {
    name: "prune",
    description: "Remove the backups that no rule of [retention] keeps",
    synonyms: ["clean", "cleanup", "gc", "forget"],
    details: `
      What a kept backup builds upon stays too. Pieces that no backup has are removed as well, but
      for those of the last day: they may be of a backup that is being made.

      With --json one object is printed, with schema "rastos.backup-removed/1".
    `,
  },
  args: PRUNE_ARGS,
  examples: [{ command: "rastos backup prune --dry-run", description: "What would go" }],
  run: async (context) => (await import("./backup-run.ts")).prune(context),
});

const INIT_ARGS = {
  path: {
    type: "string",
    valueHint: "DIR",
    completes: "folder",
    description: "Keep backups in this folder",
  },
  bucket: { type: "string", valueHint: "NAME", description: "Keep backups in this bucket of S3" },
  endpoint: {
    type: "string",
    valueHint: "URL",
    description: "Of a server that is compatible with S3; without it AWS",
  },
  region: { type: "string", default: "us-east-1", valueHint: "NAME", description: "Of the bucket" },
  plain: { type: "boolean", description: "Do not encrypt" },
  key: {
    type: "string",
    default: "/etc/rast/backup.key",
    valueHint: "FILE",
    completes: "path",
    description: "Where the new key goes; one that is there is used",
  },
  ...CONFIG_ARG,
  ...DRY_RUN,
} as const satisfies ArgsSpec;

/** The arguments of `rastos backup init`. */
export type InitArgs = typeof INIT_ARGS;

const initCommand = defineCommand({
  meta: {
    name: "init",
    description: "Write a backup.toml, and the key for it",
    synonyms: ["setup"],
    details: `
      Keep a copy of the key elsewhere: without it the backups cannot be read. Credentials of S3
      are taken from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or written into backup.toml by
      hand as access_key_id and secret_access_key.
    `,
  },
  args: INIT_ARGS,
  examples: [
    { command: "rastos backup init --path /mnt/backups", description: "A folder, encrypted" },
    {
      command: "rastos backup init --bucket machines --endpoint https://minio.lan:9000",
      description: "A server of one's own",
    },
  ],
  run: async (context) => (await import("./backup-run.ts")).init(context),
});

/** `rastos backup`: snapshots kept elsewhere. */
export const backupCommand = defineCommand({
  meta: {
    name: "backup",
    description: "Keep snapshots elsewhere, encrypted, and bring them back",
    synonyms: ["backups", "rast-backup"],
  },
  subCommands: {
    create: () => createCommand,
    list: () => listCommand,
    restore: () => restoreCommand,
    verify: () => verifyCommand,
    remove: () => removeCommand,
    prune: () => pruneCommand,
    status: () => statusCommand,
    init: () => initCommand,
  },
  examples: [
    { command: "rastos backup init --path /mnt/backups", description: "Once" },
    { command: "rastos backup create", description: "From a timer" },
    { command: "rastos backup list", description: "What there is" },
  ],
});

import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { PACKAGE_CHANGE_ARGS } from "./packages-args.ts";

const SYNC_ARGS = {
  snapshot: PACKAGE_CHANGE_ARGS.snapshot,
  config: PACKAGE_CHANGE_ARGS.config,
  root: PACKAGE_CHANGE_ARGS.root,
  "dry-run": PACKAGE_CHANGE_ARGS["dry-run"],
} as const satisfies ArgsSpec;

/** The arguments of `rastos packages sync`. */
export type SyncArgs = typeof SYNC_ARGS;

/** `rastos packages sync`. */
export const syncCommand = defineCommand({
  meta: {
    name: "sync",
    description: "Fetch the databases of the repositories",
    synonyms: ["refresh", "-Sy"],
    details: `
      Of a tree of snapshots a new one is made with them. Installing fetches them where they are
      missing, and upgrading always does.
    `,
  },
  args: SYNC_ARGS,
  examples: [{ command: "rastos packages sync --root /mnt/new", description: "Of a folder" }],
  run: async (context) => (await import("./sync-run.ts")).run(context),
});

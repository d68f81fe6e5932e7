import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { DESTROY_ARGS } from "../root-args.ts";

const COUNT = { type: "string", number: { minimum: 0, maximum: 9999 }, valueHint: "N" } as const;

const PRUNE_ARGS = {
  "keep-last": { ...COUNT, description: "Keep the N newest" },
  "keep-daily": { ...COUNT, description: "Keep the newest of each of N days" },
  "keep-weekly": { ...COUNT, description: "Keep the newest of each of N weeks" },
  "keep-monthly": { ...COUNT, description: "Keep the newest of each of N months" },
  "keep-yearly": { ...COUNT, description: "Keep the newest of each of N years" },
  ...DESTROY_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot prune`. */
export type PruneArgs = typeof PRUNE_ARGS;

/** `rastos snapshot prune`. */
export const pruneCommand = defineCommand({
  meta: {
    name: "prune",
    description: "Remove old snapshots by rules of what to keep",
    synonyms: ["clean", "cleanup", "gc"],
    details: `
      A snapshot stays if any of the rules keeps it. The base, what is pinned or deployed, and what
      begins a branch stays always. Days, weeks (from Monday), months and years are those of the
      local time; only those count in which there is a snapshot.

      With --json the numbers are printed, with schema "rastos.removed/1".
    `,
  },
  args: PRUNE_ARGS,
  examples: [
    { command: "rastos snapshot prune --keep-last 10 --dry-run", description: "What would go" },
    {
      command: "rastos snapshot prune --keep-daily 7 --keep-weekly 4 --yes",
      description: "From a timer",
    },
  ],
  run: async (context) => (await import("./prune-run.ts")).run(context),
});

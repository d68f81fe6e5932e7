import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";
import { SNAPSHOT_ARG } from "./snapshot-args.ts";

const PIN_ARGS = { ...SNAPSHOT_ARG, ...CHANGE_ARGS } as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot pin` and `unpin`. */
export type PinArgs = typeof PIN_ARGS;

/** `rastos snapshot pin SNAPSHOT`. */
export const pinCommand = defineCommand({
  meta: {
    name: "pin",
    description: "Keep a snapshot whatever prune says",
    synonyms: ["immen", "keep"],
    details: "A pinned snapshot is removed by hand only, and only with --force.",
  },
  args: PIN_ARGS,
  examples: [{ command: "rastos snapshot pin 0", description: "Keep the base" }],
  run: async (context) => (await import("./pin-run.ts")).run(context, true),
});

/** `rastos snapshot unpin SNAPSHOT`. */
export const unpinCommand = defineCommand({
  meta: {
    name: "unpin",
    description: "Let a pinned snapshot be removed again",
    synonyms: ["immdis"],
  },
  args: PIN_ARGS,
  examples: [{ command: "rastos snapshot unpin 0", description: "Nothing is removed by it" }],
  run: async (context) => (await import("./pin-run.ts")).run(context, false),
});

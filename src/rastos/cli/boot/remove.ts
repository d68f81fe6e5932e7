import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { DESTROY_ARGS } from "../root-args.ts";
import { ESP_ARG } from "./boot-args.ts";

const REMOVE_ARGS = {
  deployment: {
    type: "positional",
    required: true,
    repeatable: true,
    valueHint: "K",
    description: "Deployments: K, N-K or rastos-N-K",
  },
  ...ESP_ARG,
  ...DESTROY_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos boot remove`. */
export type RemoveArgs = typeof REMOVE_ARGS;

/** `rastos boot remove K…`. */
export const removeCommand = defineCommand({
  meta: {
    name: "remove",
    description: "Remove deployments with their boot entries and kernels",
    synonyms: ["rm", "delete", "del"],
    details: `
      Their snapshots stay. What is running and what boots next cannot be removed.

      With --json the entries are printed, with schema "rastos.boot.removed/1".
    `,
  },
  args: REMOVE_ARGS,
  examples: [{ command: "rastos boot remove 3 4", description: "Ask, and remove both" }],
  run: async (context) => (await import("./remove-run.ts")).run(context),
});

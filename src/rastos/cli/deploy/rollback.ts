import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ESP_ARG } from "../boot/boot-args.ts";
import { DESTROY_ARGS } from "../root-args.ts";

const ROLLBACK_ARGS = {
  deployment: {
    type: "positional",
    required: false,
    valueHint: "K",
    description: "The deployment to go back to: K, N-K or rastos-N-K; default: the last good one",
  },
  reason: {
    type: "string",
    valueHint: "TEXT",
    description: "Why, for `rastos status`",
  },
  ...ESP_ARG,
  ...DESTROY_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos rollback`. */
export type RollbackArgs = typeof ROLLBACK_ARGS;

/** `rastos rollback [K]`. */
export const rollbackCommand = defineCommand({
  meta: {
    name: "rollback",
    description: "Have an earlier deployment boot next",
    synonyms: ["revert", "undeploy", "undo", "back"],
    details: `
      One write on the boot partition decides it. What would have booted is marked as bad and
      stays: it can be gone back to as well. /home and the other shared folders are not changed.

      With --json the entries are printed, with schema "rastos.rollback/1".
    `,
  },
  args: ROLLBACK_ARGS,
  examples: [
    { command: "rastos rollback", description: "Ask, and go back to the last good one" },
    { command: "rastos rollback 4 --yes", description: "To deployment 4" },
  ],
  run: async (context) => (await import("./rollback-run.ts")).run(context),
});

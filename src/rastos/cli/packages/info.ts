import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { LOOK_ARGS } from "./packages-args.ts";

const INFO_ARGS = {
  name: {
    type: "positional",
    required: true,
    repeatable: true,
    valueHint: "NAME",
    description: "Packages, installed or of a repository",
  },
  ...LOOK_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos packages info`. */
export type InfoArgs = typeof INFO_ARGS;

/** `rastos packages info NAME…`. */
export const infoCommand = defineCommand({
  meta: {
    name: "info",
    description: "Tell all about packages",
    synonyms: ["show", "-Qi", "-Si"],
    details: `With --json as "rastos packages list"; what is in both is told twice.`,
  },
  args: INFO_ARGS,
  examples: [{ command: "rastos packages info vim", description: "As installed and as offered" }],
  run: async (context) => (await import("./info-run.ts")).run(context),
});

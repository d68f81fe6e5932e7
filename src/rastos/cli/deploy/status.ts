import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ESP_ARG } from "../boot/boot-args.ts";
import { ROOT_ARGS } from "../root-args.ts";

const STATUS_ARGS = { ...ROOT_ARGS, ...ESP_ARG } as const satisfies ArgsSpec;

/** The arguments of `rastos status`. */
export type StatusArgs = typeof STATUS_ARGS;

/** `rastos status`. */
export const statusCommand = defineCommand({
  meta: {
    name: "status",
    description: "Show what is booted, what boots next, and why",
    details: `
      Names the deployments that were rolled back with the reason: a health check that failed, or
      boots that nobody blessed. Counts what was changed in /etc since the deployment was made.

      With --json one object is printed, with schema "rastos.status/1".
    `,
  },
  args: STATUS_ARGS,
  examples: [
    { command: "rastos status", description: "Of the system that is running" },
    { command: "rastos status --json", description: "For programs" },
  ],
  run: async (context) => (await import("./status-run.ts")).run(context),
});

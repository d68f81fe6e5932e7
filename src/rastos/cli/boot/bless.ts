import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";
import { ESP_ARG } from "./boot-args.ts";

const BLESS_ARGS = {
  deployment: {
    type: "positional",
    required: false,
    valueHint: "K",
    description: "The deployment: K, N-K or rastos-N-K; default: the one that is running",
  },
  health: {
    type: "string",
    valueHint: "FILE",
    completes: "path",
    description: "The checks, in the place of those in /etc/rastos/health.toml",
  },
  bad: {
    type: "string",
    valueHint: "REASON",
    description: "Check nothing: it is bad, for this reason",
  },
  reboot: {
    type: "boolean",
    description: "Restart at once when it is bad",
  },
  ...ESP_ARG,
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos boot bless`. */
export type BlessArgs = typeof BLESS_ARGS;

/** `rastos boot bless`. */
export const blessCommand = defineCommand({
  meta: {
    name: "bless",
    description: "Check the health of what is running, and keep it or mark it as bad",
    details: `
      For the end of a boot: runs the checks of /etc/rastos/health.toml, and looks whether every
      service that rinit has enabled is up. When all is well the entry's counter goes away, and it
      boots from now on. When not, the entry is marked as bad, with the reason where
      \`rastos status\` finds it, and the loader takes the one before it.

      One that was blessed before stays so whatever its checks say, and one that a person has given
      up stays bad: name the deployment to decide otherwise.

      With --json the verdict is printed, with schema "rastos.bless/1".
    `,
  },
  args: BLESS_ARGS,
  examples: [
    { command: "rastos boot bless --reboot", description: "As a service at the end of a boot" },
    { command: "rastos boot bless --bad 'sound is broken'", description: "By hand" },
  ],
  exitCodes: { 0: "It is good, or has been before", 1: "It is bad, or not well" },
  run: async (context) => (await import("./bless-run.ts")).run(context),
});

import type { ArgsSpec } from "../../../kit/cli/command.ts";
import { ESP_ARG } from "../boot/boot-args.ts";

/** The flags that say which deployment is meant. */
export const DEPLOYMENT_ARGS = {
  deployment: {
    type: "string",
    valueHint: "K",
    description: "The deployment: K, N-K or rastos-N-K",
    details: "Without it the one that is running, or else the one that boots next.",
  },
  ...ESP_ARG,
} as const satisfies ArgsSpec;

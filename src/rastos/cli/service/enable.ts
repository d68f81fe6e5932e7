import { defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";
import { NAMES_ARGS } from "./service-args.ts";

/** The arguments of `rastos service enable|disable`. */
export const ENABLE_ARGS = {
  ...NAMES_ARGS,
  ...CHANGE_ARGS,
  root: {
    ...CHANGE_ARGS.root,
    description: "Work on the system in this folder",
  },
} as const;

const details = `
  A link below etc/rinit/enabled in the root; what runs already is not touched. With --json each
  change is an object with schema "rastos.service-link/1": service, path and action.
`;

/** `rastos service enable`. */
export const serviceEnableCommand = defineCommand({
  meta: { name: "enable", description: "Have services start with the system", details },
  args: ENABLE_ARGS,
  examples: [
    { command: "rastos service enable sshd", description: "From the next boot on" },
    { command: "rastos service enable --root /mnt sshd", description: "Of another system" },
  ],
  run: async (context) => (await import("./enable-run.ts")).run("enable", context),
});

/** `rastos service disable`. */
export const serviceDisableCommand = defineCommand({
  meta: { name: "disable", description: "Have services start with the system no more", details },
  args: ENABLE_ARGS,
  examples: [{ command: "rastos service disable sshd", description: "From the next boot on" }],
  run: async (context) => (await import("./enable-run.ts")).run("disable", context),
});

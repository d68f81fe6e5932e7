import { defineCommand } from "../../../kit/cli/command.ts";
import { FOLDER_ARGS, SOCKET_ARGS, SOME_NAMES_ARGS } from "./service-args.ts";

/** The arguments of `rastos service check`. */
export const CHECK_ARGS = {
  ...SOME_NAMES_ARGS,
  services: {
    type: "string",
    repeatable: true,
    valueHint: "DIR",
    completes: "folder",
    description: "Folder of service files instead of those of the root",
  },
  health: {
    type: "boolean",
    description: "Ask the services that run how they are, by their health commands",
  },
  ...FOLDER_ARGS,
  ...SOCKET_ARGS,
} as const;

/** `rastos service check`. */
export const serviceCheckCommand = defineCommand({
  meta: {
    name: "check",
    description: "Check service files, or with --health the services that run",
    synonyms: ["verify", "lint", "health"],
    details: `
      Tells of every key that is not understood, services that are required and that nobody defines,
      and services that wait for each other in a circle.

      With --json each problem is an object with schema "rastos.service-problem/1": service and
      message; with --health each service is one, with schema "rastos.service-health/1".
    `,
  },
  args: CHECK_ARGS,
  examples: [
    { command: "rastos service check", description: "Before the next boot does" },
    { command: "rastos service check --health", description: "As boot bless asks" },
  ],
  exitCodes: { 0: "All is well", 1: "Something is not; it is named" },
  run: async (context) => (await import("./check-run.ts")).run(context),
});

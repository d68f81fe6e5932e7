import { defineCommand } from "../../../kit/cli/command.ts";
import { SOCKET_ARGS, SOME_NAMES_ARGS } from "./service-args.ts";

/** The arguments of `rastos service status`. */
export const STATUS_ARGS = { ...SOME_NAMES_ARGS, ...SOCKET_ARGS } as const;

/** `rastos service status`. */
export const serviceStatusCommand = defineCommand({
  meta: {
    name: "status",
    description: "Tell how services are: state, pid, memory, restarts, last exit",
    synonyms: ["show"],
    details: `
      Without a name rinit tells of itself, and of each service that is not well.

      With --json each service is one line, an object with schema "rastos.service/1"; rinit itself
      has the schema "rastos.init/1".
    `,
  },
  args: STATUS_ARGS,
  examples: [
    { command: "rastos service status", description: "Is all well" },
    { command: "rastos service status sshd", description: "One service" },
  ],
  exitCodes: { 0: "All of them are well", 1: "One has failed, or is not up; or no rinit runs" },
  run: async (context) => (await import("./status-run.ts")).run(context),
});

import { defineCommand } from "../../../kit/cli/command.ts";
import { FOLDER_ARGS, SOCKET_ARGS } from "./service-args.ts";

/** The arguments of `rastos service list`. */
export const LIST_ARGS = { ...FOLDER_ARGS, ...SOCKET_ARGS } as const;

/** `rastos service list`. */
export const serviceListCommand = defineCommand({
  meta: {
    name: "list",
    description: "List services, of the rinit that runs or of the files in a root",
    synonyms: ["ls", "list-units"],
    details: `
      With --json each service is one line, an object with schema "rastos.service/1": name,
      description, type, state, enabled, and what status tells of it where it runs.
    `,
  },
  args: LIST_ARGS,
  examples: [
    { command: "rastos service list", description: "All services and their state" },
    { command: "rastos service list --root /mnt", description: "Those of a system that is off" },
  ],
  run: async (context) => (await import("./list-run.ts")).run(context),
});

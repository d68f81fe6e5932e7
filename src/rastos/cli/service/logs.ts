import { defineCommand } from "../../../kit/cli/command.ts";

/** The arguments of `rastos service logs`. */
export const LOGS_ARGS = {
  name: { type: "positional", valueHint: "NAME", description: "A service; rinit for its own" },
  follow: { type: "boolean", alias: "f", description: "Go on with what comes, until Ctrl-C" },
  lines: {
    type: "string",
    alias: "n",
    number: { minimum: 0 },
    valueHint: "COUNT",
    description: "The last lines only; 100 unless set",
  },
  log: {
    type: "string",
    valueHint: "DIR",
    default: "/var/log/rinit",
    completes: "folder",
    description: "Folder of the logs",
  },
} as const;

/** `rastos service logs`. */
export const serviceLogsCommand = defineCommand({
  meta: {
    name: "logs",
    description: "Show what a service prints",
    synonyms: ["log", "journal", "journalctl"],
    details: `
      Each line has the time, and out, err, or run for what rinit itself says of the service. It
      reads files, so it works also while no rinit runs.

      With --json each line is an object with schema "rastos.log/1": time, stream and text.
    `,
  },
  args: LOGS_ARGS,
  examples: [
    { command: "rastos service logs sshd -n 20", description: "The last 20 lines" },
    { command: "rastos service logs sshd -f", description: "As they come" },
  ],
  run: async (context) => (await import("./logs-run.ts")).run(context),
});

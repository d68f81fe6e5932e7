import { defineCommand } from "../../../kit/cli/command.ts";
import { NAMES_ARGS, SOCKET_ARGS, SOME_NAMES_ARGS } from "./service-args.ts";

/** The arguments of `rastos service start|stop|restart`. */
export const CHANGE_ARGS = {
  ...NAMES_ARGS,
  wait: {
    type: "boolean",
    default: true,
    negativeDescription: "Do not wait until it has happened",
    description: "Wait until it is up, or down (the default)",
  },
  "dry-run": {
    type: "boolean",
    description: "Show what would be done, and do nothing",
  },
  ...SOCKET_ARGS,
} as const;

/** The arguments of `rastos service reload`. */
export const RELOAD_ARGS = { ...SOME_NAMES_ARGS, ...SOCKET_ARGS } as const;

const exitCodes = { 0: "Done", 1: "A service has failed, or there is none of that name" };

/** `rastos service start`. */
export const serviceStartCommand = defineCommand({
  meta: {
    name: "start",
    description: "Start services with all that they require",
    synonyms: ["up", "run"],
  },
  args: CHANGE_ARGS,
  examples: [{ command: "rastos service start sshd", description: "Until it is ready" }],
  exitCodes,
  run: async (context) => (await import("./change-run.ts")).run("start", context),
});

/** `rastos service stop`. */
export const serviceStopCommand = defineCommand({
  meta: {
    name: "stop",
    description: "Stop services and all that require them",
    synonyms: ["down", "kill"],
  },
  args: CHANGE_ARGS,
  examples: [{ command: "rastos service stop sshd", description: "Until it has ended" }],
  exitCodes,
  run: async (context) => (await import("./change-run.ts")).run("stop", context),
});

/** `rastos service restart`. */
export const serviceRestartCommand = defineCommand({
  meta: { name: "restart", description: "Stop services and start them again" },
  args: CHANGE_ARGS,
  examples: [{ command: "rastos service restart sshd", description: "With a new process" }],
  exitCodes,
  run: async (context) => (await import("./change-run.ts")).run("restart", context),
});

/** `rastos service reload`. */
export const serviceReloadCommand = defineCommand({
  meta: {
    name: "reload",
    description: "Have services read their configuration again, or rinit the service files",
    synonyms: ["daemon-reload", "reread"],
  },
  args: RELOAD_ARGS,
  examples: [
    { command: "rastos service reload nginx", description: "By its reload command or signal" },
    { command: "rastos service reload", description: "After service files have changed" },
  ],
  exitCodes,
  run: async (context) => (await import("./change-run.ts")).reload(context),
});

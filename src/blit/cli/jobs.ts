import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { CONNECTION_ARGS } from "./connection-args.ts";

const SERVER = {
  type: "positional",
  valueHint: "SERVER",
  description: 'The server: "name" or "name:port"',
} as const;

const JOB = {
  type: "positional",
  valueHint: "JOB",
  description: 'Its id, as "blit jobs list" shows it',
} as const;

const LIST_ARGS = {
  server: SERVER,
  all: {
    type: "boolean",
    alias: "a",
    description: "Those that have ended, too",
  },
  ...CONNECTION_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blit jobs list`. */
export type JobsListArgs = typeof LIST_ARGS;

const JOB_ARGS = { server: SERVER, job: JOB, ...CONNECTION_ARGS } as const satisfies ArgsSpec;

/** The arguments of `blit jobs watch` and `blit jobs cancel`. */
export type JobArgs = typeof JOB_ARGS;

const listCommand = defineCommand({
  meta: {
    name: "list",
    description: "Show the transfers that a daemon takes part in",
    synonyms: ["ls", "status"],
    details: `
      Those in modules that you may use. With --json each is one line, an object with schema
      "blit.job/1".
    `,
  },
  args: LIST_ARGS,
  examples: [{ command: "blit jobs list nas", description: "What is going on" }],
  run: async (context) => (await import("./jobs-run.ts")).list(context),
});

const watchCommand = defineCommand({
  meta: {
    name: "watch",
    description: "Follow a transfer of a daemon until it ends",
    synonyms: ["follow", "tail"],
    details: `
      On a terminal one line shows how far it is. With --json each state is one line, an
      object with schema "blit.job/1".
    `,
  },
  args: JOB_ARGS,
  examples: [{ command: "blit jobs watch nas 1f2e3d4c5b6a", description: "Follow one of them" }],
  exitCodes: { 0: "It has ended well", 1: "It has failed, was cancelled, or there is none" },
  run: async (context) => (await import("./jobs-run.ts")).watch(context),
});

const cancelCommand = defineCommand({
  meta: {
    name: "cancel",
    description: "End a transfer of a daemon",
    synonyms: ["stop", "kill"],
    details: `
      What is complete stays; what is not goes, or stays hidden to be resumed. Whoever has
      started it may end it, and so may everybody on the daemon's own machine.
    `,
  },
  args: JOB_ARGS,
  examples: [{ command: "blit jobs cancel nas 1f2e3d4c5b6a", description: "End one of them" }],
  exitCodes: {
    0: "It was told to end, or had ended before",
    1: "There is none, or it is not yours",
  },
  run: async (context) => (await import("./jobs-run.ts")).cancel(context),
});

/** `blit jobs list|watch|cancel`. */
export const jobsCommand = defineCommand({
  meta: {
    name: "jobs",
    description: "See, follow and end what a daemon is doing",
    synonyms: ["job", "transfers"],
  },
  subCommands: {
    list: () => listCommand,
    watch: () => watchCommand,
    cancel: () => cancelCommand,
  },
  examples: [{ command: "blit jobs list nas", description: "What is going on" }],
});

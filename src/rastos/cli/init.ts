import { type ArgsSpec, defineCommand } from "../../kit/cli/command.ts";

/** The arguments of `rastos init`. */
export const INIT_ARGS = {
  word: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "WORD",
    description: "0 or poweroff, 6 or reboot: tells the rinit that runs; as process 1, a target",
  },
  supervise: {
    type: "boolean",
    description: "Run services below another init, until SIGTERM",
  },
  services: {
    type: "string",
    repeatable: true,
    valueHint: "DIR",
    completes: "folder",
    description: "Folder of service files instead of /usr/lib/rinit and /etc/rinit",
    details: "May be given several times; what is in a later one goes before an earlier one.",
  },
  root: {
    type: "string",
    valueHint: "DIR",
    default: "/",
    completes: "folder",
    description: "Root that holds the links of what is enabled, below etc/rinit/enabled",
  },
  socket: {
    type: "string",
    valueHint: "PATH",
    default: "/run/rinit.sock",
    completes: "path",
    description: "Where to listen for rastos service",
  },
  log: {
    type: "string",
    valueHint: "DIR",
    default: "/var/log/rinit",
    completes: "folder",
    description: "Folder of the logs",
  },
  target: {
    type: "string",
    valueHint: "NAME",
    description: "What to start; default unless the kernel's command line says otherwise",
  },
} as const satisfies ArgsSpec;

/** The arguments of `rastos init`. */
export type InitArgs = typeof INIT_ARGS;

/** `rastos init`. */
export const initCommand = defineCommand({
  meta: {
    name: "init",
    description: "Run as the first process: mount, start services, reap, shut down",
    synonyms: ["rinit", "supervise"],
    details: `
      As process 1 it mounts what a machine needs, starts the target "default" with all that it
      wants, and looks after it until the machine ends. With --supervise it does the same for
      services only, as any user, below whatever init there is. A word of the kernel's command line
      that names a target (rinit.target=NAME, or rescue, emergency, single) starts that instead.

      Signals, as process 1 of a machine: SIGINT (Ctrl-Alt-Del) and SIGTERM reboot, SIGUSR2 and
      SIGPWR power off, SIGUSR1 halts, SIGHUP reads the service files again. As process 1 of a
      container and with --supervise, SIGTERM stops the services and ends.
    `,
  },
  args: INIT_ARGS,
  examples: [
    { command: "rastos init --supervise --services ./services", description: "Try services out" },
    { command: "rastos init 6", description: "Reboot" },
  ],
  exitCodes: { 0: "The services have stopped, or the request was passed on" },
  run: async (context) => (await import("./init-run.ts")).run(context),
});

/** The same as a program of its own, for the first process of a machine. */
export const rinitCommand = defineCommand({
  ...initCommand,
  meta: { ...initCommand.meta, name: "rinit", hidden: true },
  tool: true,
});

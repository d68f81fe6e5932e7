import { defineCommand } from "../../../kit/cli/command.ts";

/** `rastos service`. */
export const serviceCommand = defineCommand({
  meta: {
    name: "service",
    description: "Start, stop and look at services that rinit runs",
    synonyms: ["systemctl", "sv", "rc-service"],
    details: `
      A service is a file /usr/lib/rinit/NAME.toml of a package; /etc/rinit/NAME.toml overrides
      single keys of it, or defines one of your own. docs/concepts/services.md tells what it may
      hold.
    `,
  },
  subCommands: {
    list: async () => (await import("./list.ts")).serviceListCommand,
    status: async () => (await import("./status.ts")).serviceStatusCommand,
    start: async () => (await import("./change.ts")).serviceStartCommand,
    stop: async () => (await import("./change.ts")).serviceStopCommand,
    restart: async () => (await import("./change.ts")).serviceRestartCommand,
    reload: async () => (await import("./change.ts")).serviceReloadCommand,
    logs: async () => (await import("./logs.ts")).serviceLogsCommand,
    enable: async () => (await import("./enable.ts")).serviceEnableCommand,
    disable: async () => (await import("./enable.ts")).serviceDisableCommand,
    check: async () => (await import("./check.ts")).serviceCheckCommand,
    emit: async () => (await import("./emit.ts")).serviceEmitCommand,
  },
  examples: [
    { command: "rastos service status sshd", description: "Is it up, and since when" },
    { command: "rastos service logs -f sshd", description: "What it prints, as it comes" },
    { command: "rastos service enable sshd", description: "Have it start with the system" },
  ],
});

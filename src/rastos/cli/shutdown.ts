import { type ArgsSpec, defineCommand } from "../../kit/cli/command.ts";
import { SOCKET_ARGS } from "./service/service-args.ts";

/** The arguments of `rastos shutdown`. */
export const SHUTDOWN_ARGS = {
  reboot: { type: "boolean", alias: "r", description: "Reboot" },
  halt: { type: "boolean", alias: "H", description: "Halt, and leave the power on" },
  kexec: { type: "boolean", description: "Go on with the kernel that kexec has loaded" },
  "dry-run": { type: "boolean", description: "Show what would be done, and do nothing" },
  ...SOCKET_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos reboot|poweroff`. */
export const END_ARGS = {
  "dry-run": SHUTDOWN_ARGS["dry-run"],
  ...SOCKET_ARGS,
} as const satisfies ArgsSpec;

const details = `
  rinit stops the services in order, writes everything to the disks and unmounts them. Where systemd
  or another init runs the machine, its own commands do this.
`;

/** `rastos shutdown`. */
export const shutdownCommand = defineCommand({
  meta: { name: "shutdown", description: "End the machine in order, by rinit", details },
  args: SHUTDOWN_ARGS,
  examples: [{ command: "rastos shutdown -r", description: "Reboot" }],
  run: async (context) => (await import("./shutdown-run.ts")).shutdown(context),
});

/** `rastos reboot`. */
export const rebootCommand = defineCommand({
  meta: { name: "reboot", description: "Reboot the machine in order, by rinit", details },
  args: END_ARGS,
  examples: [{ command: "rastos reboot", description: "Reboot" }],
  run: async (context) => (await import("./shutdown-run.ts")).end("reboot", context),
});

/** `rastos poweroff`. */
export const poweroffCommand = defineCommand({
  meta: { name: "poweroff", description: "Switch the machine off in order, by rinit", details },
  args: END_ARGS,
  examples: [{ command: "rastos poweroff", description: "Switch off" }],
  run: async (context) => (await import("./shutdown-run.ts")).end("poweroff", context),
});

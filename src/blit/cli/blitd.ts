import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";

const BLITD_ARGS = {
  config: {
    type: "string",
    valueHint: "FILE",
    completes: "path",
    description: "Read this file instead of /etc/blit/config.toml",
  },
  bind: {
    type: "string",
    valueHint: "ADDRESS",
    description: "Listen on this address only",
  },
  port: {
    type: "string",
    valueHint: "PORT",
    number: { minimum: 0, maximum: 65_535 },
    description: "Listen on this port (9031); 0 lets the kernel choose",
  },
  root: {
    type: "string",
    valueHint: "DIR",
    completes: "folder",
    description: "Offer this folder as server://",
  },
  mdns: {
    type: "boolean",
    default: true,
    negativeDescription: "Do not advertise the daemon in the local network",
  },
  "mdns-name": {
    type: "string",
    valueHint: "NAME",
    description: "Advertise under this name instead of the host's",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blitd`. */
export type BlitdArgs = typeof BLITD_ARGS;

/** `blitd`. */
export const blitdCommand = defineCommand({
  meta: {
    name: "blitd",
    description: "Offer folders to blit on other machines",
    details: `
      Folders are offered as modules, which a config file names: see blitd-config.md in the
      reference. Without modules and --root the working folder is offered as server://, with
      a warning.

      The daemon stays in the foreground and tells what happens on standard error. SIGHUP
      makes it read its configuration again; SIGTERM makes it wait for running transfers, a
      second one does not. Sockets that systemd hands over are used.
    `,
  },
  tool: true,
  args: BLITD_ARGS,
  examples: [
    { command: "blitd", description: "Offer what /etc/blit/config.toml names" },
    { command: "blitd --root /srv/files --bind 127.0.0.1", description: "One folder, only here" },
    { command: "blitd --config lab.toml --port 9100", description: "Another config and port" },
  ],
  exitCodes: {
    0: "Ended by SIGTERM or SIGINT, after the transfers that ran",
    1: "The address cannot be listened on",
    2: "The command line or the configuration is not understood",
    143: "Ended by a second signal, whatever ran",
  },
  run: async (context) => (await import("./blitd-run.ts")).run(context),
});

import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";

const SCAN_ARGS = {
  wait: {
    type: "string",
    number: { minimum: 1, maximum: 60 },
    valueHint: "SECONDS",
    description: "Wait so long for answers; 2 seconds unless given",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blit scan`. */
export type ScanArgs = typeof SCAN_ARGS;

/** `blit scan`. */
export const scanCommand = defineCommand({
  meta: {
    name: "scan",
    description: "Find the daemons in the local network",
    synonyms: ["discover", "browse"],
    details: `
      Asks by multicast DNS (_blit._tcp.local, IPv4) on every interface and prints what
      answers. A daemon with no_mdns, or behind a router, is not found: name it.

      With --json each daemon is one line, an object with schema "blit.scan/1", name, host,
      address, port and txt. All of that is what the daemon says of itself.
    `,
  },
  args: SCAN_ARGS,
  examples: [
    { command: "blit scan", description: "Who is there" },
    { command: "blit scan --wait 5 --json", description: "With more patience, as JSON" },
  ],
  exitCodes: { 0: "Every answer is shown, also if there was none" },
  run: async (context) => (await import("./scan-run.ts")).run(context),
});

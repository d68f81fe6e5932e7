import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";

const PERF_ARGS = {
  limit: {
    type: "string",
    number: { minimum: 1, maximum: 10_000 },
    valueHint: "N",
    description: "Show at most N runs",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blit diagnostics perf`. */
export type DiagnosticsArgs = typeof PERF_ARGS;

const perfCommand = defineCommand({
  meta: {
    name: "perf",
    description: "Show the recent local transfers and what the planner has learnt from them",
    details: `
      Reads ~/.config/blit/perf_local.jsonl, which never leaves this machine.
      BLIT_DISABLE_LOCAL_TELEMETRY=1 stops it from being written.
    `,
  },
  args: PERF_ARGS,
  examples: [
    { command: "blit diagnostics perf --limit 5", description: "The last five transfers" },
    { command: "blit diagnostics perf --json", description: "The same as JSON" },
  ],
  environment: {
    BLIT_DISABLE_LOCAL_TELEMETRY: "1: write nothing to ~/.config/blit/perf_local.jsonl",
  },
  run: async (context) => (await import("./diagnostics-run.ts")).run(context),
});

/** `blit diagnostics perf`. */
export const diagnosticsCommand = defineCommand({
  meta: {
    name: "diagnostics",
    description: "Look into how transfers went",
    synonyms: ["perf", "stats"],
  },
  subCommands: { perf: () => perfCommand },
  examples: [{ command: "blit diagnostics perf", description: "The recent local transfers" }],
});

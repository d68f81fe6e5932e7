import { z } from "zod";

/**
 * `config.toml` of blit: type, checks, defaults and reference page in one. There are no settings
 * for speed: the planner finds out by itself. The defaults stand in config.ts too, so that a user
 * without a config file never loads zod; a test holds them together.
 */
export const blitConfigSchema = z.strictObject({
  transfer: z
    .strictObject({
      xattrs: z
        .boolean()
        .default(true)
        .describe("Copy extended attributes and ACLs. `--no-xattrs` turns it off for one run."),
      owner: z
        .boolean()
        .default(true)
        .describe("Keep owner and group when run as root. `--no-owner` turns it off for one run."),
      exclude: z
        .array(z.string())
        .default([])
        .describe(
          "Patterns in gitignore syntax that every transfer leaves out. They come before those " +
            "of the command line, so `--include` takes one back.",
        ),
      progress: z
        .boolean()
        .default(true)
        .describe("Show progress on a terminal. `--no-progress` turns it off for one run."),
    })
    .prefault({})
    .describe("What `copy`, `mirror` and `move` do when no flag says otherwise."),
  telemetry: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          "Keep a log of run times (numbers only, no names) on this machine to choose the " +
            "fastest way by; it is never sent anywhere. `BLIT_DISABLE_LOCAL_TELEMETRY=1` turns " +
            "it off too.",
        ),
    })
    .prefault({})
    .describe("The local performance log that `blit diagnostics perf` shows."),
});

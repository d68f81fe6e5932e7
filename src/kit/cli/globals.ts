import type { Level } from "../out/printer.ts";
import type { ColorMode } from "../out/style.ts";
import type { ArgsSpec, ParsedArgs } from "./command.ts";

/** The heading of the flags that every command has. */
export const GLOBAL_GROUP = "Global options";

/** The flags that every command of every name accepts, at every level. */
export const GLOBAL_ARGS = {
  json: {
    type: "boolean",
    description: "Print the result as JSON on standard output",
    group: GLOBAL_GROUP,
  },
  quiet: {
    type: "boolean",
    alias: "q",
    description: "Print errors and warnings only",
    group: GLOBAL_GROUP,
  },
  verbose: {
    type: "boolean",
    alias: "v",
    repeatable: true,
    description: "Say more; -vv says even more",
    group: GLOBAL_GROUP,
  },
  debug: {
    type: "boolean",
    description: "Show stacks and codes with every failure",
    group: GLOBAL_GROUP,
  },
  color: {
    type: "enum",
    options: ["auto", "always", "never"],
    default: "auto",
    valueHint: "WHEN",
    description: "Colour the output; --no-color is --color=never",
    details: "NO_COLOR and FORCE_COLOR are respected; the flag goes before them.",
    group: GLOBAL_GROUP,
  },
  progress: {
    type: "boolean",
    default: true,
    negativeDescription: "Show no progress line",
    group: GLOBAL_GROUP,
  },
  help: {
    type: "boolean",
    alias: "h",
    description: "Show help: -h the short form, --help the long one",
    group: GLOBAL_GROUP,
  },
  version: {
    type: "boolean",
    description: "Show version, commit, Bun and platform",
    group: GLOBAL_GROUP,
  },
} as const satisfies ArgsSpec;

/** The values of the global flags. */
export type GlobalValues = ParsedArgs<typeof GLOBAL_ARGS>;

/** `-q` and `-v` as a level; the two cancel each other out, `-q` winning. */
export function levelOf(values: GlobalValues): Level {
  if (values.quiet) {
    return -1;
  }
  return Math.min(values.verbose, 2) as Level;
}

/** `--color`, as the type that the output side knows. */
export function colorModeOf(values: GlobalValues): ColorMode {
  return values.color;
}

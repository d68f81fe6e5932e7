import type { ArgsSpec } from "../../kit/cli/command.ts";
import { CONNECTION_ARGS, CONNECTION_GROUP } from "./connection-args.ts";

const SELECTION = "Selection";
const COMPARISON = "Comparison";
const ATTRIBUTES = "Attributes";
const SAFETY = "Safety";
const ADVANCED = "Advanced";

/** Order of the headings in the help of copy, mirror and move. */
export const TRANSFER_GROUPS = [
  COMPARISON,
  SELECTION,
  ATTRIBUTES,
  SAFETY,
  CONNECTION_GROUP,
  ADVANCED,
] as const;

/** The flags that copy, mirror and move share. */
export const TRANSFER_ARGS = {
  "dry-run": {
    type: "boolean",
    alias: "n",
    description: "List what would happen and the two resolved roots; change nothing",
    group: SAFETY,
  },
  checksum: {
    type: "boolean",
    alias: "c",
    description: "Compare by content rather than by size and modification time",
    group: COMPARISON,
  },
  "size-only": {
    type: "boolean",
    description: "Compare by size alone",
    group: COMPARISON,
  },
  "ignore-existing": {
    type: "boolean",
    description: "Leave every file alone that the target already has",
    group: COMPARISON,
  },
  update: {
    type: "boolean",
    alias: "u",
    description: "Keep files that are newer in the target",
    group: COMPARISON,
  },
  exclude: {
    type: "string",
    repeatable: true,
    valueHint: "PATTERN",
    description: "Leave out what matches",
    details: "Patterns are those of .gitignore, relative to each source. The last match decides.",
    group: SELECTION,
  },
  include: {
    type: "string",
    repeatable: true,
    valueHint: "PATTERN",
    description: "Take what matches, although an earlier --exclude leaves it out",
    group: SELECTION,
  },
  "filter-from": {
    type: "string",
    repeatable: true,
    valueHint: "FILE",
    completes: "path",
    description: "Read patterns from a file, one per line, as in .gitignore",
    group: SELECTION,
  },
  xattrs: {
    type: "boolean",
    default: true,
    negativeDescription: "Leave extended attributes and ACLs behind",
    group: ATTRIBUTES,
  },
  owner: {
    type: "boolean",
    default: true,
    negativeDescription: "Leave owner and group behind (only root can keep them)",
    group: ATTRIBUTES,
  },
  specials: {
    type: "boolean",
    description: "Make FIFOs, sockets and devices too, instead of skipping them (as root)",
    group: ATTRIBUTES,
  },
  "backup-dir": {
    type: "string",
    valueHint: "DIR",
    completes: "folder",
    description: "Move what would be overwritten or deleted into this folder",
    group: SAFETY,
  },
  yes: {
    type: "boolean",
    alias: "y",
    description: "Do not ask; needed where there is no terminal to ask on",
    group: SAFETY,
  },
  ...CONNECTION_ARGS,
  bwlimit: {
    type: "string",
    valueHint: "RATE",
    description: "Send at most so much a second over the network: 500K, 20M, 1G (bytes)",
    group: ADVANCED,
  },
  compress: {
    type: "boolean",
    description: "Let content be compressed on its way, where that is found to help",
    group: ADVANCED,
  },
  "force-grpc-data": {
    type: "boolean",
    description: "Send content through the control connection, as is done without a data port",
    group: ADVANCED,
  },
  // Speed is the planner's business. Old scripts may still pass this one.
  "ludicrous-speed": { type: "boolean", hidden: true },
} as const satisfies ArgsSpec;

/** Of the details of copy, mirror and move: how places on other machines are written. */
export const TRANSFER_REMOTE_DETAILS = `
      Either side, or both, may be on a server that runs blitd: "server:/module/path" is a
      path in one of its modules, "server://path" one in what it exports by default,
      "server:9000:/module/" names the port too, "[::1]:/module/" an IPv6 address. Between two
      servers the data goes straight from one to the other. A local file with a colon in its
      name is written "./a:b".
`.trim();

/** Exit codes of a transfer, where they say more than the general table. */
export const TRANSFER_EXIT_CODES = {
  0: "Everything is in place",
  1: "Refused or impossible; nothing more was changed than the messages say",
  2: "The command line is not understood",
  4: "Some entries failed or vanished; each of them is named",
  130: "Interrupted; nothing unfinished stands under a final name",
} as const;

/** Variables that every transfer reads. */
export const TRANSFER_ENVIRONMENT = {
  BLIT_FORCE_GRPC_DATA: "1: as --force-grpc-data",
  BLIT_DISABLE_LOCAL_TELEMETRY: "1: write nothing to ~/.config/blit/perf_local.jsonl",
  NO_COLOR: "Any value: no colour",
} as const;

import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { BlitConfig } from "../config.ts";
import type { TransferRequest } from "../engine/prepare.ts";
import type { CopyArgs } from "./copy.ts";
import { collectFilter } from "./filter-flags.ts";
import type { MirrorArgs } from "./mirror.ts";
import type { MoveArgs } from "./move.ts";

export type Command = "copy" | "mirror" | "move";
export type Context =
  | CommandContext<CopyArgs>
  | CommandContext<MirrorArgs>
  | CommandContext<MoveArgs>;

/** What is being done, for the progress line. */
export const progressLabels: Readonly<Record<Command, string>> = {
  copy: "Copying",
  mirror: "Mirroring",
  move: "Moving",
};

/** What the command line says about things that the config file may say too. */
export function flagsOverConfig(
  context: Context,
): Record<string, Record<string, boolean | undefined>> {
  const { args, argv } = context;
  const isGiven = (flag: string): boolean =>
    argv.includes(`--${flag}`) || argv.includes(`--no-${flag}`);
  return {
    transfer: {
      xattrs: isGiven("xattrs") ? args.xattrs : undefined,
      owner: isGiven("owner") ? args.owner : undefined,
    },
  };
}

/** What is asked for, wherever its two sides are. @throws {Fault} E_USAGE, E_NOT_FOUND, E_IO */
export function requestOf(
  command: Command,
  context: Context,
  config: BlitConfig,
): Omit<TransferRequest, "chooseStrategy"> {
  const { args } = context;
  const raw = context.rawPositionals();
  const target = raw.at(-1) ?? "";
  const sources = raw.slice(0, -1);
  const mirror = command === "mirror" ? (args as CommandContext<MirrorArgs>["args"]) : undefined;
  const maxDelete = mirror?.["max-delete"];
  return {
    command,
    purpose: args["dry-run"] ? "plan" : "transfer",
    sources,
    target,
    comparison: comparisonOf(args),
    ignoreExisting: args["ignore-existing"],
    update: args.update,
    xattrs: config.transfer.xattrs,
    owner: config.transfer.owner,
    specials: args.specials,
    filter: collectFilter(context, config, sources),
    backupDir: context.rawValues("backup-dir")[0],
    yes: args.yes,
    maxDelete: maxDelete === undefined ? undefined : Number(maxDelete),
    allowEmptySource: mirror?.["allow-empty-source"] ?? false,
  };
}

function comparisonOf(args: Context["args"]): TransferRequest["comparison"] {
  if (args.checksum && args["size-only"]) {
    throw new Fault({
      code: "E_USAGE",
      message: "Cannot use --checksum and --size-only together",
      hint: "--checksum compares content, --size-only looks at sizes alone",
    });
  }
  if (args.checksum) return "checksum";
  return args["size-only"] ? "size" : "time";
}

import type { MessageInitShape } from "@bufbuild/protobuf";
import { Fault } from "../../kit/fault/fault.ts";
import { LINEAGE_MAX } from "../session/limits.ts";
import type { PassPurpose, SessionOptions, SessionProgress, SourceRoot } from "../session/types.ts";
import type { FilterJson } from "../tree/filter.ts";
import type { GitignoreRule } from "../tree/filter-rules.ts";
import { NAME_BYTES_MAX } from "../wire/frame.ts";
import {
  Command,
  Comparison,
  type PassStart,
  type PassStartSchema,
  type Progress,
  type ProgressSchema,
  Purpose,
  type SourceRoot as RootMessage,
  type SourceRootSchema,
  type TransferOptions,
  type TransferOptionsSchema,
} from "./proto/blit_pb.js";
import { bounded, bytesOfPath, pathOfBytes, safeNumber, violation } from "./wire-values.ts";

/**
 * Between the plain data of a session and the messages of the control plane. The way in checks
 * everything: what the protocol does not allow is a Fault E_INTEGRITY.
 */

/** Sources of one transfer. */
export const ROOTS_MAX = 4096;

/** Columns of a report: more than any version has. */
const COUNTS_MAX = 256;
const FILTER_BYTES_MAX = 1024 * 1024;
const FILTER_RULES_MAX = 10_000;

const COMMANDS = [
  ["copy", Command.COPY],
  ["mirror", Command.MIRROR],
  ["move", Command.MOVE],
] as const;

const COMPARISONS = [
  ["time", Comparison.TIME],
  ["size", Comparison.SIZE],
  ["checksum", Comparison.CHECKSUM],
] as const;

const PURPOSES = [
  ["transfer", Purpose.TRANSFER],
  ["plan", Purpose.PLAN],
  ["count", Purpose.COUNT],
  ["settle", Purpose.SETTLE],
] as const;

type Pairs<Word, Value> = readonly (readonly [Word, Value])[];

function messageValue<Word, Value>(pairs: Pairs<Word, Value>, word: Word): Value {
  const found = pairs.find((pair) => pair[0] === word);
  if (found === undefined) throw new Error(`no value for ${word}`);
  return found[1];
}

function sessionWord<Word, Value>(pairs: Pairs<Word, Value>, value: Value, what: string): Word {
  const found = pairs.find((pair) => pair[1] === value);
  if (found === undefined) throw violation(`${what} ${value}`);
  return found[0];
}

export function optionsToMessage(
  options: SessionOptions,
): MessageInitShape<typeof TransferOptionsSchema> {
  return {
    command: messageValue(COMMANDS, options.command),
    comparison: messageValue(COMPARISONS, options.comparison),
    ignoreExisting: options.ignoreExisting,
    update: options.update,
    xattrs: options.xattrs,
    owner: options.owner,
    specials: options.specials,
    filterJson: options.filter === undefined ? "" : JSON.stringify(options.filter),
    backupDir: bytesOfPath(options.backupDir ?? ""),
    allowEmptySource: options.allowEmptySource,
    bytesPerSecond: BigInt(Math.round(options.bytesPerSecond)),
    compress: options.compress,
  };
}

/** @throws Fault E_INTEGRITY */
export function optionsFromMessage(message: TransferOptions | undefined): SessionOptions {
  if (message === undefined) throw violation("no options");
  const backupDir = pathOfBytes(message.backupDir, "a backup folder");
  return {
    command: sessionWord(COMMANDS, message.command, "the command"),
    comparison: sessionWord(COMPARISONS, message.comparison, "the comparison"),
    ignoreExisting: message.ignoreExisting,
    update: message.update,
    xattrs: message.xattrs,
    owner: message.owner,
    specials: message.specials,
    filter: filterFromText(message.filterJson),
    backupDir: backupDir === "" ? undefined : backupDir,
    allowEmptySource: message.allowEmptySource,
    bytesPerSecond: safeNumber(message.bytesPerSecond, "a speed"),
    compress: message.compress,
  };
}

function filterFromText(text: string): FilterJson | undefined {
  if (text === "") return undefined;
  if (text.length > FILTER_BYTES_MAX) throw violation(`a filter of ${text.length} characters`);
  const rules = rulesOf(text);
  if (rules === undefined) throw violation("a filter that is none");
  bounded(rules, FILTER_RULES_MAX, "filter rules");
  return { version: 1, rules };
}

/** The rules and nothing else of what the peer has put into the text. */
function rulesOf(text: string): GitignoreRule[] | undefined {
  const rules: GitignoreRule[] = [];
  try {
    const json = JSON.parse(text) as { version?: unknown; rules?: unknown };
    if (json.version !== 1 || !Array.isArray(json.rules)) return undefined;
    for (const rule of json.rules as readonly { negative?: unknown; pattern?: unknown }[]) {
      const { negative, pattern } = rule;
      if (typeof negative !== "boolean" || typeof pattern !== "string" || pattern === "") {
        return undefined;
      }
      rules.push({ negative, pattern });
    }
    return rules;
  } catch {
    return undefined;
  }
}

export function rootsToMessages(
  roots: readonly SourceRoot[],
): MessageInitShape<typeof SourceRootSchema>[] {
  if (roots.length > ROOTS_MAX) {
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot send ${roots.length} sources at once: at most ${ROOTS_MAX} go`,
      hint: "name the folder that they are in",
    });
  }
  return roots.map((root) => ({
    index: root.index,
    isFolder: root.kind === "folder",
    name: bytesOfPath(root.name),
    isContents: root.isContents,
    typed: bytesOfPath(root.typed),
    lineage: [...(root.lineage ?? [])],
  }));
}

/** @throws Fault E_INTEGRITY also when a name could lead out of the folder that it is put in */
export function rootsFromMessages(messages: readonly RootMessage[]): SourceRoot[] {
  return bounded(messages, ROOTS_MAX, "sources").map((message, position) => {
    if (message.index !== position) throw violation(`source ${message.index} as ${position}`);
    return {
      index: message.index,
      kind: message.isFolder ? "folder" : "entry",
      name: rootName(message),
      isContents: message.isContents,
      typed: pathOfBytes(message.typed, "a source"),
      ...lineageFromMessage(message.lineage),
    };
  });
}

function lineageFromMessage(lineage: readonly string[]): Pick<SourceRoot, "lineage"> {
  if (lineage.length === 0) return {};
  return { lineage: bounded(lineage, LINEAGE_MAX, "folders above each other") };
}

/** Empty only where the name is not used: the contents of a folder that has none, such as "/". */
function rootName(message: RootMessage): string {
  const name = pathOfBytes(message.name, "a source's name");
  const isUsable = name !== "" && name !== "." && name !== ".." && name.length <= NAME_BYTES_MAX;
  if (name.includes("/")) throw violation("a slash in a name");
  if (!isUsable && !(message.isFolder && message.isContents)) throw violation("a source's name");
  return name;
}

export function progressToMessage(
  progress: SessionProgress,
): MessageInitShape<typeof ProgressSchema> {
  return { counts: [...progress.counts], isFinal: progress.isFinal };
}

/** @throws Fault E_INTEGRITY */
export function progressFromMessage(message: Progress): SessionProgress {
  return { counts: countsFromMessage(message.counts), isFinal: message.isFinal };
}

/** @throws Fault E_INTEGRITY */
export function countsFromMessage(counts: readonly number[]): number[] {
  for (const count of bounded(counts, COUNTS_MAX, "counts")) {
    if (!(count >= 0 && count <= Number.MAX_SAFE_INTEGER)) throw violation(`a count of ${count}`);
  }
  return [...counts];
}

/** What a pass is for, and what the user has agreed to. */
export type PassOrder = {
  readonly purpose: PassPurpose;
  /** undefined: any number. */
  readonly agreedDeletions: number | undefined;
};

export function passToMessage(order: PassOrder): MessageInitShape<typeof PassStartSchema> {
  const { agreedDeletions } = order;
  return {
    purpose: messageValue(PURPOSES, order.purpose),
    ...(agreedDeletions === undefined ? {} : { agreedDeletions: BigInt(agreedDeletions) }),
  };
}

/** @throws Fault E_INTEGRITY */
export function passFromMessage(message: PassStart): PassOrder {
  const { agreedDeletions } = message;
  return {
    purpose: sessionWord(PURPOSES, message.purpose, "the purpose"),
    agreedDeletions:
      agreedDeletions === undefined ? undefined : safeNumber(agreedDeletions, "a number"),
  };
}

import { existsSync, statSync } from "node:fs";
import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { writeFully } from "../../../kit/out/write-fully.ts";
import { formatBytes } from "../../../kit/text/format.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { SNAPSHOTS } from "../../snapshot/layout.ts";
import {
  commonParent,
  findByKeys,
  type KeyedSnapshot,
  keysOf,
  keysOfAll,
} from "../../snapshot/part-keys.ts";
import { receiveSnapshot } from "../../snapshot/receive.ts";
import { openRoot } from "../../snapshot/root.ts";
import { type SendRequest, sendSnapshot } from "../../snapshot/send.ts";
import {
  compress,
  type Host,
  keysAt,
  parseHost,
  sendTo,
  writeToFile,
} from "../../snapshot/transfer.ts";
import type { SystemState } from "../../snapshot/types.ts";
import { findSnapshot } from "./find-snapshot.ts";
import { openTree } from "./open-tree.ts";
import { reportDryRun } from "./report.ts";
import type { SendArgs } from "./send.ts";

type Context = Pick<CommandContext<SendArgs>, "args" | "printer" | "commandPath">;

type Target =
  | { readonly kind: "output" | "file"; readonly path: string }
  | { readonly kind: "disk"; readonly top: string }
  | { readonly kind: "host"; readonly host: Host };

/** Sends a snapshot. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const { path: top } = openRoot({ root: args.root });
  const state = readTree(top);
  const snapshot = findSnapshot(state, args.snapshot);
  const target = targetOf(args.target);
  const theirs = await keysOfTarget(target);
  const here = findByKeys(theirs, keysOf(top, snapshot.id));
  if (here !== undefined) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot send snapshot ${snapshot.id}: "${args.target}" has it already, as ${here}`,
    });
  }
  const parent = parentFor({ args, state, theirs, top, id: snapshot.id });
  if (args["dry-run"]) {
    const upon = parent === undefined ? "all of it" : `what snapshot ${parent} has not`;
    const text = `Would send snapshot ${snapshot.id} to "${args.target}": ${upon}`;
    reportDryRun(printer, text, { action: "send", snapshot: snapshot.id, parent });
    return 0;
  }
  const result = await deliver(context, target, { top, snapshot, parent });
  if (target.kind === "output") return 0;
  if (printer.jsonMode) {
    const sent = { snapshot: snapshot.id, target: args.target, parent: parent ?? null };
    printer.json({ schema: "rastos.sent/1", ...sent, ...result });
  } else {
    const size = result.bytes === undefined ? "" : `, ${formatBytes(result.bytes)}`;
    const upon = parent === undefined ? "" : ` upon ${parent}`;
    printer.note(`Sent snapshot ${snapshot.id}${upon} to "${args.target}"${size}`);
  }
  return 0;
}

function targetOf(text: string): Target {
  if (text === "-") return { kind: "output", path: text };
  const host = parseHost(text);
  if (host !== undefined) return { kind: "host", host };
  const isFolder = existsSync(text) && statSync(text).isDirectory();
  return isFolder
    ? { kind: "disk", top: openRoot({ root: text }).path }
    : { kind: "file", path: text };
}

async function keysOfTarget(target: Target): Promise<readonly KeyedSnapshot[]> {
  if (target.kind === "host") return keysAt(target.host);
  if (target.kind !== "disk" || !existsSync(`${target.top}/${SNAPSHOTS}`)) return [];
  return keysOfAll(target.top, readTree(target.top));
}

function parentFor(options: {
  readonly args: Context["args"];
  readonly state: SystemState;
  readonly theirs: readonly KeyedSnapshot[];
  readonly top: string;
  readonly id: number;
}): number | undefined {
  const { args, state, theirs, top, id } = options;
  if (args.full) return undefined;
  if (args.parent !== undefined) return findSnapshot(state, args.parent).id;
  if (theirs.length === 0) return undefined;
  return commonParent({ state, own: keysOfAll(top, state), theirs, id });
}

async function deliver(
  context: Context,
  target: Target,
  request: SendRequest,
): Promise<{ readonly bytes?: number; readonly received?: number }> {
  const plain = sendSnapshot(request);
  const stream = context.args.zstd && target.kind !== "disk" ? compress(plain) : plain;
  switch (target.kind) {
    case "output":
      for await (const chunk of stream) writeFully(1, chunk);
      return {};
    case "file":
      return { bytes: await writeToFile(target.path, stream) };
    case "host":
      await sendTo(target.host, stream);
      return {};
    case "disk": {
      const { printer, commandPath } = context;
      const args = { root: target.top };
      using tree = openTree({ args, printer, commandPath }, { isNew: true });
      return { received: (await receiveSnapshot(tree, stream)).id };
    }
  }
}

import { join } from "node:path";
import { Fault } from "../../../kit/fault/fault.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { identityOf } from "../../boot/entry.ts";
import type { EntryIdentity } from "../../boot/types.ts";
import { identityNamed } from "../../deploy/bless.ts";
import type { EtcChange } from "../../deploy/etc-diff.ts";
import { subvolumeOf } from "../../deploy/recover.ts";
import { etcChanges } from "../../deploy/status.ts";
import { partPlace } from "../../snapshot/part-place.ts";
import { type BootPlace, findPlace } from "../boot/place.ts";

interface Context {
  readonly args: {
    readonly root: string | undefined;
    readonly esp: string | undefined;
    readonly deployment: string | undefined;
  };
  readonly printer: Printer;
}

/** The etc of a deployment, beside that of its snapshot. */
export interface FoundEtc {
  readonly identity: EntryIdentity;
  readonly original: string;
  readonly own: string;
  readonly changes: readonly EtcChange[];
}

/** Finds the etc that is meant, and compares it. @throws {Fault} E_NOT_FOUND */
export function findEtc(context: Context): FoundEtc {
  const place = findPlace(context);
  const identity = chosen(context, place);
  return {
    identity,
    original: partPlace(place.top, "etc", identity.snapshot),
    own: join(place.top, subvolumeOf(identity), "etc"),
    changes: etcChanges(place.top, identity),
  };
}

/** Prints changes as `git status --short` does: A, D and M. */
export function printChanges(printer: Printer, changes: readonly EtcChange[]): void {
  const marks = { added: "A", removed: "D", changed: "M" } as const;
  for (const { kind, path } of changes) {
    if (printer.jsonMode) printer.json({ schema: "rastos.etc/1", kind, path: `/etc/${path}` });
    else printer.out(`${marks[kind]} /etc/${escapeControls(path)}`);
  }
}

function chosen(context: Context, { menu, booted }: BootPlace): EntryIdentity {
  const named = context.args.deployment;
  if (named !== undefined) return identityNamed(menu, named);
  const next = menu.next();
  const identity = booted ?? (next === undefined ? undefined : identityOf(next.name));
  if (identity !== undefined) return identity;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: "Cannot compare /etc: there is no deployment",
    hint: "rastos deploy makes one",
  });
}

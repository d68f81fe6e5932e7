import { Fault } from "../../kit/fault/fault.ts";
import type { PackageName } from "../pep/name.ts";
import { isAsRecorded, itemOf } from "./check.ts";
import type { Environment } from "./environment.ts";
import type { Finding, FindingKind } from "./finding.ts";
import type { InstallItem, WheelSource } from "./install-item.ts";
import type { JournalPackage } from "./journal.ts";
import { lastJournal } from "./state-folder.ts";
import { applyChanges, type ChangeOptions, type ChangeResult } from "./transaction.ts";
import type { WheelLookup } from "./undo.ts";

/** What installing again puts right. */
const MENDABLE: ReadonlySet<FindingKind> = new Set([
  "missing",
  "changed",
  "doubly-owned",
  "broken-record",
  "broken-script",
  "duplicate",
  "outside",
]);

/** A store that can be asked whether its own files are as they were unpacked. */
export interface RepairStore extends WheelLookup {
  /** Whether the wheel is whole: environments share files with the store by hard links. */
  isWhole?(wheel: WheelSource): Promise<boolean>;
  /** Fetches a wheel anew that the store has lost, or that is not whole any more. */
  refetch?(wanted: JournalPackage): Promise<WheelSource | undefined>;
}

/** What a repair did, and what it could not do. */
export interface RepairResult {
  readonly change: ChangeResult | undefined;
  readonly mended: readonly PackageName[];
  /** Findings that are left, each with the reason. */
  readonly left: readonly { readonly finding: Finding; readonly reason: string }[];
}

/**
 * Installs again, in one transaction and from the store, every package that findings name and that
 * blast has installed. Foreign files stay: nobody but the user knows what they are for.
 *
 * @throws {Fault} as {@link applyChanges}; the environment is as it was then
 */
export async function repair(
  environment: Environment,
  findings: readonly Finding[],
  store: RepairStore,
  options: ChangeOptions,
): Promise<RepairResult> {
  const known = new Map(lastJournal(environment)?.packages.map((entry) => [entry.name, entry]));
  const installed = environment.installed();
  const reasons = new Map<PackageName, string>();
  const items = new Map<PackageName, InstallItem>();
  const wanted = findings.filter(({ kind }) => MENDABLE.has(kind));
  for (const name of new Set(wanted.flatMap(({ packages }) => packages))) {
    const entry = known.get(name);
    const isOurs = installed.some(
      (distribution) =>
        entry !== undefined &&
        distribution.name === name &&
        (isAsRecorded(distribution, entry) || distribution.installer === undefined),
    );
    const item = entry !== undefined && isOurs ? await sound(entry, store) : undefined;
    if (item !== undefined) items.set(name, item);
    else if (!isOurs) reasons.set(name, "blast did not install it");
    else reasons.set(name, "its wheel is not in the store any more, or damaged there");
  }
  const left = findings.flatMap((finding) => {
    const reason = reasonOf(finding, items, reasons);
    return reason === undefined ? [] : [{ finding, reason }];
  });
  if (items.size === 0) return { change: undefined, mended: [], left };
  const install = [...items.values()];
  // A hard link to a file that somebody changes is what brought some of this about.
  const change = await applyChanges(
    environment,
    { remove: [], install },
    { ...options, conflicts: "replace" },
  );
  return { change, mended: [...items.keys()], left };
}

async function sound(entry: JournalPackage, store: RepairStore): Promise<InstallItem | undefined> {
  const item = itemOf(entry, store);
  if (item !== undefined && (await store.isWhole?.(item.wheel)) !== false) return item;
  const wheel = await store.refetch?.(entry);
  if (wheel === undefined) return undefined;
  if (wheel.name !== entry.name) {
    throw new Fault({
      code: "E_INTEGRITY",
      message: `Cannot use another wheel as "${entry.name}"`,
    });
  }
  return item === undefined ? { wheel, requested: entry.requested } : { ...item, wheel };
}

function reasonOf(
  finding: Finding,
  items: ReadonlyMap<PackageName, InstallItem>,
  reasons: ReadonlyMap<PackageName, string>,
): string | undefined {
  switch (finding.kind) {
    case "foreign":
      return "remove it by hand, if nobody needs it";
    case "unmet":
    case "conflict":
      return "use: blast sync";
    case "interpreter-gone":
    case "interpreter-changed":
      return "use: blast sync, which makes the environment anew";
    case "interrupted":
      return undefined;
    default: {
      const [reason] = finding.packages.flatMap((name) =>
        items.has(name) ? [] : [reasons.get(name) ?? "no package is known for it"],
      );
      return finding.packages.length === 0 ? "remove it by hand" : reason;
    }
  }
}

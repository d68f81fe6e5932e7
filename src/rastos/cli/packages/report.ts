import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatBytes, formatCount } from "../../../kit/text/format.ts";
import { formatTable } from "../../../kit/text/table.ts";
import type { PackageChange, PackageRecord, TransactionPlan } from "../../package/types.ts";

/** A transaction and what came of it. */
export interface TransactionReport {
  readonly plan: TransactionPlan;
  readonly isDryRun: boolean;
  /** Number of the snapshot that was made. */
  readonly snapshot?: number | undefined;
  /** Whether the deployment that boots was changed too. */
  readonly isLive?: boolean | undefined;
}

/** The one object of `--json`, schema "rastos.transaction/1". */
export function transactionJson(report: TransactionReport): Record<string, unknown> {
  const { plan, isDryRun, snapshot, isLive = false } = report;
  const { changes, notes } = plan;
  return { schema: "rastos.transaction/1", changes, notes, isDryRun, isLive, snapshot };
}

/** What would change, or has changed, as a table with its sums. */
export function printPlan(printer: Printer, { changes, notes }: TransactionPlan): void {
  const rows = changes.map((change) => [
    change.kind,
    escapeControls(change.name),
    escapeControls(change.oldVersion ?? ""),
    escapeControls(change.newVersion ?? ""),
    change.kind === "remove"
      ? formatBytes(change.installedBytes)
      : formatBytes(change.downloadBytes),
  ]);
  const columns = [
    { title: "change" },
    { title: "package" },
    { title: "from" },
    { title: "to" },
    { title: "size", align: "right" as const },
  ];
  if (rows.length > 0) for (const line of formatTable(columns, rows)) printer.out(line);
  printNotes(printer, notes);
}

/** The sentences of a transaction. */
export function printNotes(printer: Printer, notes: readonly string[]): void {
  for (const note of notes) printer.note(`note: ${escapeControls(note)}`);
}

/** `3 packages installed, 1 upgraded`. */
export function summaryOf(changes: readonly PackageChange[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of changes) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const parts = [...counts].map(([kind, count], index) => {
    const done = PAST[kind as PackageChange["kind"]];
    return index === 0 ? `${formatCount(count, "package")} ${done}` : `${count} ${done}`;
  });
  return parts.join(", ");
}

const PAST: Readonly<Record<PackageChange["kind"], string>> = {
  install: "installed",
  upgrade: "upgraded",
  downgrade: "downgraded",
  reinstall: "reinstalled",
  remove: "removed",
};

/** One line of JSON for each package, or name, version and description. */
export function printPackages(printer: Printer, records: readonly PackageRecord[]): void {
  if (printer.jsonMode) {
    for (const record of records) printer.json({ schema: "rastos.package/1", ...record });
    return;
  }
  if (records.length === 0) return;
  const rows = records.map(({ repository, name, version, description }) => [
    escapeControls(repository === "local" ? name : `${repository}/${name}`),
    escapeControls(version),
    escapeControls(description),
  ]);
  const columns = [{ title: "package" }, { title: "version" }, { title: "description" }];
  for (const line of formatTable(columns, rows)) printer.out(line);
}

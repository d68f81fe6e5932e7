import type { Printer } from "../../kit/out/printer.ts";
import type { ChangedPackage, ChangeOutcome } from "./change.ts";

/** What is told besides the packages themselves. */
export interface ChangeReport {
  readonly command: string;
  readonly environment: string;
  readonly dryRun: boolean;
  readonly seconds: number;
  /** Files of the project that were changed. */
  readonly files: readonly string[];
}

/**
 * Tells what was done: with --json one object on stdout, otherwise lines on stderr, replaced
 * versions side by side.
 */
export function reportChange(printer: Printer, outcome: ChangeOutcome, report: ChangeReport): void {
  if (printer.jsonMode) {
    printer.json({
      schema: "blast.change/1",
      command: report.command,
      environment: report.environment,
      dryRun: report.dryRun,
      installed: outcome.installed,
      removed: outcome.removed,
      kept: outcome.kept,
      files: report.files,
      seconds: Math.round(report.seconds * 1000) / 1000,
    });
    return;
  }
  const { style } = printer;
  for (const { name, before, after } of changesOf(outcome)) {
    // Before it is built, the version of a folder is not known.
    const added = after === "" ? name : `${name}==${after}`;
    if (before === undefined) printer.note(` ${style.done("+")} ${added}`);
    else if (after === undefined) printer.note(` ${style.error("-")} ${name}==${before}`);
    else printer.note(` ${style.warning("~")} ${name} ${before} -> ${after || "anew"}`);
  }
  for (const note of outcome.notes) printer.warn(note);
  printer.note(summaryText(outcome, report));
}

function summaryText(outcome: ChangeOutcome, report: ChangeReport): string {
  const installed = outcome.installed.length;
  const replaced = changesOf(outcome).filter(
    ({ before, after }) => before !== undefined && after !== undefined,
  ).length;
  const removed = outcome.removed.length - replaced;
  const would = report.dryRun ? "Would " : "";
  const verb = (past: string, plain: string): string => (report.dryRun ? plain : past);
  const parts: string[] = [];
  if (installed > 0) parts.push(`${verb("installed", "install")} ${countText(installed)}`);
  if (removed > 0) parts.push(`${verb("removed", "remove")} ${countText(removed)}`);
  const time = `${report.seconds.toFixed(2)} s`;
  if (parts.length === 0) {
    const isAre = outcome.kept === 1 ? "package is" : "packages are";
    const what = report.files.length === 0 ? "Nothing to do" : filesText(report);
    return `${what}: ${outcome.kept} ${isAre} as wanted (${time})`;
  }
  const text = parts.join(" and ");
  const sentence = would === "" ? text.charAt(0).toUpperCase() + text.slice(1) : would + text;
  return `${sentence} in ${time}`;
}

/** Where nothing but the project's files changes. */
function filesText({ files, dryRun }: ChangeReport): string {
  return `${dryRun ? "Would change" : "Changed"} ${files.join(" and ")}`;
}

function countText(count: number): string {
  return count === 1 ? "1 package" : `${count} packages`;
}

interface Change {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

function changesOf(outcome: ChangeOutcome): Change[] {
  const before = byName(outcome.removed);
  const after = byName(outcome.installed);
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.map((name) => ({ name, before: before.get(name), after: after.get(name) }));
}

function byName(packages: readonly ChangedPackage[]): Map<string, string> {
  return new Map(packages.map(({ name, version }) => [name, version]));
}

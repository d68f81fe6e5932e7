import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatBytes } from "../../../kit/text/format.ts";
import type { PackageChange } from "../../package/types.ts";
import type { ApplyPlan } from "../../system/apply.ts";

/** Prints a difference on stdout, a line each: what comes, what goes, what changes. */
export function printPlan(printer: Printer, plan: ApplyPlan): void {
  const lines = [
    ...packageLines(plan),
    ...plan.configuration.changes.map(({ action, text }) => {
      const sign = { create: "+", change: "~", remove: "-" }[action];
      return `${sign} ${text}`;
    }),
    ...plan.declared.map(({ area, text }) => `~ ${area}: ${text}`),
  ];
  for (const line of lines) printer.out(coloured(printer, escapeControls(line)));
  const { notes: packages } = plan.packages;
  const notes = [...packages, ...plan.configuration.notes, ...plan.transaction.notes];
  for (const note of notes) printer.note(`note: ${escapeControls(note)}`);
}

function packageLines({ packages, transaction }: ApplyPlan): string[] {
  const marks = [
    ...packages.addAur.map((name) => `+ package ${name} (AUR)`),
    ...(packages.addKernel === undefined ? [] : [`+ package ${packages.addKernel} (built here)`]),
    ...packages.markExplicit.map((name) => `~ package ${name}: wanted by name`),
    ...packages.markDependency.map((name) => `~ package ${name}: for the sake of others`),
  ];
  return [...transaction.changes.map(changeLine), ...marks];
}

function changeLine(change: PackageChange): string {
  const { kind, name, oldVersion = "", newVersion = "" } = change;
  const size = change.downloadBytes > 0 ? ` (${formatBytes(change.downloadBytes)})` : "";
  switch (kind) {
    case "install":
      return `+ package ${name} ${newVersion}${size}`;
    case "remove":
      return `- package ${name} ${oldVersion}`;
    case "reinstall":
      return `~ package ${name} ${newVersion} again${size}`;
    case "upgrade":
    case "downgrade":
      return `~ package ${name} ${oldVersion} → ${newVersion}${size}`;
  }
}

function coloured({ dataStyle }: Printer, line: string): string {
  if (line.startsWith("+")) return dataStyle.done(line);
  return line.startsWith("-") ? dataStyle.error(line) : dataStyle.warning(line);
}

/** A plan as `--json` prints it. */
export function planJson(plan: ApplyPlan): Readonly<Record<string, unknown>> {
  const { packages, transaction, configuration, declared } = plan;
  return {
    changes: [
      ...configuration.changes.map(({ area, action, path, text }) => ({
        area,
        action,
        path: `/${path}`,
        text,
      })),
      ...declared.map(({ area, text }) => ({ area, action: "change", path: null, text })),
    ],
    packages: {
      changes: transaction.changes,
      aur: packages.addAur,
      kernel: packages.addKernel ?? null,
      markExplicit: packages.markExplicit,
      markDependency: packages.markDependency,
      undeclared: packages.undeclared,
    },
    notes: [...packages.notes, ...configuration.notes, ...transaction.notes],
  };
}

import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatCount } from "../../../kit/text/format.ts";
import type { CarriedChange } from "../../deploy/carry-plan.ts";

/** What a deployment takes over from the one before it. */
interface Inherited {
  readonly before?: string | undefined;
  readonly etc: readonly CarriedChange[];
  readonly leftBehind: readonly string[];
}

const LINES_MAX = 20;

/** Lines about what was changed by hand in /etc and /var, and what becomes of it. */
export function inheritanceLines({ before, etc, leftBehind }: Inherited): readonly string[] {
  const silent = etc.filter(({ text }) => text === undefined);
  const told = etc.flatMap((change) => lineOf(change) ?? []);
  const from = before === undefined ? "the deployment before" : before;
  const count = formatCount(silent.length, "change");
  const goes = silent.length === 1 ? "goes" : "go";
  const carried = `${count} made by hand in /etc of ${from} ${goes} along`;
  const shown = told.slice(0, LINES_MAX);
  const more = told.length - shown.length;
  const rest = more === 0 ? [] : [`and ${more} more: --json names them all`];
  const folders = leftBehind.join(", ");
  const left = folders === "" ? [] : [`stays in ${from}, and is not in the new one: ${folders}`];
  return [...(silent.length === 0 ? [] : [carried]), ...shown, ...rest, ...left].map(
    escapeControls,
  );
}

/** Tells it. */
export function tellInheritance(printer: Printer, inherited: Inherited): void {
  for (const line of inheritanceLines(inherited)) printer.note(line);
}

function lineOf({ path, action, text, beside }: CarriedChange): string | undefined {
  if (text === undefined) return undefined;
  const place = `/etc/${path}`;
  const other = beside === undefined ? "" : `, the new one is /etc/${beside}`;
  return action === "declared"
    ? `${place}: system.toml counts: ${text}`
    : `${place}: ${text}${other}`;
}

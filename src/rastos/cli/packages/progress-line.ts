import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatBytes } from "../../../kit/text/format.ts";
import type { PackageEvent } from "../../package/types.ts";

/** The line at the bottom of the terminal that tells what is being done to packages. */
export interface EventLine {
  readonly show: (event: PackageEvent) => void;
  readonly clear: () => void;
}

/** With -v each event gets a line of its own that stays. */
export function eventLine(printer: Printer): EventLine {
  const isShown =
    printer.progressMode && printer.level === 0 && !printer.jsonMode && printer.isTerminal(2);
  let last = "";
  return {
    show: (event) => {
      const text = textOf(event);
      if (isShown) printer.transient(text);
      if (event.kind === "note" || event.kind === "hook") printer.verbose(text);
      else if (event.kind === "change" && event.name !== last) printer.verbose(`${event.name} …`);
      if (event.kind === "change") last = event.name;
    },
    clear: () => printer.transient(""),
  };
}

function textOf(event: PackageEvent): string {
  switch (event.kind) {
    case "download": {
      const total = event.total > 0 ? ` of ${formatBytes(event.total)}` : "";
      return `Fetching ${escapeControls(event.file)}  ${formatBytes(event.done)}${total}`;
    }
    case "change":
      return `Changing ${escapeControls(event.name)}  ${event.percent} %`;
    case "hook":
      return `Hook: ${escapeControls(event.name)}`;
    case "note":
      return escapeControls(event.text);
  }
}

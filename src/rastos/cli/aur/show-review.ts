import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import type { Approve, AurReview } from "../../aur/review.ts";

/** Shows a review and asks whether it passes; where there is nobody to ask, it does not. */
export function askForReview(printer: Printer): Approve {
  return async (review) => {
    if (!printer.jsonMode) printReview(printer, review);
    const { askOnTerminal } = await import("../../../kit/cli/ask.ts");
    const { base, version, to } = review;
    const question = `Let "${base}" ${escapeControls(version)} at ${to.slice(0, 12)} pass?`;
    return (await askOnTerminal(printer, question)) === "yes";
  };
}

/** All of it, on stderr: stdout is for what comes of it. Foreign text is made harmless. */
function printReview(printer: Printer, review: AurReview): void {
  const { style } = printer;
  const since = review.from === undefined ? "new to you" : `since ${review.from}`;
  printer.usage(style.heading(`${review.base} ${escapeControls(review.version)}: ${since}`));
  printer.usage(`commit ${review.to}`);
  printer.usage(review.description);
  for (const line of review.diff.split("\n")) {
    const text = escapeControls(line.replaceAll("\t", "    "));
    if (line.startsWith("+")) printer.usage(style.done(text));
    else if (line.startsWith("-")) printer.usage(style.error(text));
    else printer.usage(line.startsWith("@@") ? style.dim(text) : text);
  }
}

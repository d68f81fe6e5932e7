import type { Style } from "../out/style.ts";
import { causeMessages, Fault } from "./fault.ts";
import { sanitise } from "./redact.ts";

/** How much of a failure is shown. */
export interface RenderOptions {
  readonly style: Style;
  /** With stacks and details; without, a bug shows no stack. */
  readonly debug: boolean;
}

/**
 * A failure as the lines that go to stderr: `error:`, then `cause:` where a cause says something
 * new, the lines of an excerpt, then `hint:`. Ends without line break.
 */
export function renderFault(fault: Fault, options: RenderOptions): string {
  const { style } = options;
  const message = sanitise(fault.message);
  const lines = [`${style.error("error:")} ${message}`];
  let shown = message;
  for (const cause of causeMessages(fault).map(sanitise)) {
    if (!shown.includes(cause)) {
      lines.push(`  ${style.dim("cause:")} ${cause}`);
      shown += cause;
    }
  }
  for (const line of fault.excerpt) lines.push(`  ${style.dim("|")} ${sanitise(line)}`.trimEnd());
  if (fault.hint !== undefined) {
    lines.push(`${style.hint("hint:")} ${sanitise(fault.hint)}`);
  }
  if (options.debug) {
    lines.push(style.dim(`${fault.code}, exit ${fault.exit}`), ...stackLines(fault));
  }
  return lines.join("\n");
}

/** Anything thrown that is no {@link Fault}, as the fault that says that triad has a bug. */
export function faultFromBug(error: unknown): Fault {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new Fault({
    code: "E_BUG",
    message: `This is a bug in triad: ${message}`,
    hint: "repeat the command with --debug and report what it prints",
    cause: error,
  });
}

function stackLines(fault: Fault): string[] {
  const lines: string[] = [];
  let error: unknown = fault;
  for (let depth = 0; depth < 5 && error instanceof Error; depth += 1) {
    // The stack names source files, never user data; still, its first line repeats the message.
    lines.push(...(error.stack ?? "").split("\n").map(sanitise));
    error = error.cause;
  }
  return lines.filter((line) => line.trim() !== "");
}

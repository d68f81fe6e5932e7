/**
 * Colour by meaning, never by name: green for what is done and for commands, red for errors, yellow
 * for warnings, cyan for hints, paths and names. Meaning is never carried by colour alone.
 */
export interface Style {
  readonly enabled: boolean;
  done(text: string): string;
  error(text: string): string;
  warning(text: string): string;
  hint(text: string): string;
  heading(text: string): string;
  dim(text: string): string;
}

/** What `--color` may be. */
export type ColorMode = "auto" | "always" | "never";

/** The style that leaves text as it is. */
export const PLAIN_STYLE: Style = {
  enabled: false,
  done: (text) => text,
  error: (text) => text,
  warning: (text) => text,
  hint: (text) => text,
  heading: (text) => text,
  dim: (text) => text,
};

/** What the decision about colour depends on. */
export interface ColorQuestion {
  readonly mode: ColorMode;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asked only where neither flag nor environment decides. */
  readonly isTerminal: () => boolean;
}

/**
 * Decides about colour: the flag before NO_COLOR (https://no-color.org: any non-empty value) before
 * FORCE_COLOR before TERM=dumb before the terminal.
 */
export function wantsColor(question: ColorQuestion): boolean {
  const { mode, environment } = question;
  if (mode !== "auto") {
    return mode === "always";
  }
  if ((environment["NO_COLOR"] ?? "") !== "") {
    return false;
  }
  const force = environment["FORCE_COLOR"];
  if (force !== undefined && force !== "") {
    return force !== "0" && force !== "false";
  }
  return environment["TERM"] !== "dumb" && question.isTerminal();
}

/**
 * Loads picocolors, and only when colour is on. Importing it without NO_COLOR or FORCE_COLOR makes
 * it touch process.stdout, which costs 7 to 9 ms (docs/bun.md): so FORCE_COLOR is set for that
 * moment.
 */
export async function loadColorStyle(): Promise<Style> {
  const environment = process.env;
  const borrowed =
    environment["NO_COLOR"] === undefined && environment["FORCE_COLOR"] === undefined;
  if (borrowed) {
    environment["FORCE_COLOR"] = "1";
  }
  const { default: picocolors } = await import("picocolors");
  if (borrowed) {
    delete environment["FORCE_COLOR"];
  }
  const colors = picocolors.createColors(true);
  return {
    enabled: true,
    done: colors.green,
    error: (text) => colors.bold(colors.red(text)),
    warning: (text) => colors.bold(colors.yellow(text)),
    hint: colors.cyan,
    heading: (text) => colors.bold(text),
    dim: colors.dim,
  };
}

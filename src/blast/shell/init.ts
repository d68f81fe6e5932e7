import { fishQuoted, posixQuoted, powershellQuoted } from "../python/quote.ts";
import type { ShellName } from "./shells.ts";

/** What the integration of a shell is made of. */
export interface InitOptions {
  readonly shell: ShellName;
  /** Absolute path of blast; "": it is looked for in PATH whenever it is called. */
  readonly program: string;
  /** The file of folders that cd may activate (allowed.ts). */
  readonly allowed: string;
  /** Activate by cd. */
  readonly cd: boolean;
}

/** The text that a shell reads to become one that blast can change. */
export async function initScript(options: InitOptions): Promise<string> {
  const { shell, program, allowed, cd } = options;
  const { main, hook } = await SCRIPTS[shell]();
  const quoted = quoteFor(shell);
  return (cd ? main + hook : main)
    .replace("@PROGRAM@", () => quoted(program))
    .replace("@ALLOWED@", () => quoted(allowed));
}

/** A text as a literal of the shell. */
export function quoteFor(shell: ShellName): (text: string) => string {
  switch (shell) {
    case "bash":
    case "zsh":
      return posixQuoted;
    case "fish":
      return fishQuoted;
    case "powershell":
      return powershellQuoted;
  }
}

interface Script {
  readonly main: string;
  /** What activates by cd. */
  readonly hook: string;
}

const SCRIPTS: Readonly<Record<ShellName, () => Promise<Script>>> = {
  bash: async () => ({
    main: (await import("../assets/shell/bash.txt", { with: { type: "text" } })).default,
    hook: (await import("../assets/shell/bash-cd.txt", { with: { type: "text" } })).default,
  }),
  zsh: async () => ({
    main: (await import("../assets/shell/zsh.txt", { with: { type: "text" } })).default,
    hook: (await import("../assets/shell/zsh-cd.txt", { with: { type: "text" } })).default,
  }),
  fish: async () => ({
    main: (await import("../assets/shell/fish.txt", { with: { type: "text" } })).default,
    hook: (await import("../assets/shell/fish-cd.txt", { with: { type: "text" } })).default,
  }),
  powershell: async () => ({
    main: (await import("../assets/shell/powershell.txt", { with: { type: "text" } })).default,
    hook: (await import("../assets/shell/powershell-cd.txt", { with: { type: "text" } })).default,
  }),
};

/** How people and shells call blast. No work, no heavy imports: every start loads it. */
import { basename, resolve } from "node:path";

/** How to call blast again: the path under which this one was called, "" where that is unknown. */
export function ownProgram(argv0: string): string {
  const name = basename(argv0).replace(/\.exe$/i, "");
  if (name !== "blast") return Bun.which("blast") ?? "";
  if (argv0.includes("/")) return resolve(argv0);
  return Bun.which(argv0) ?? "";
}

/** For messages: what brings the integration into the user's shell. */
export function initLine(shell: string | undefined): string {
  switch (basename(shell ?? "")) {
    case "zsh":
      return 'eval "$(blast init zsh)" in ~/.zshrc';
    case "fish":
      return "blast init fish | source in ~/.config/fish/config.fish";
    default:
      return 'eval "$(blast init bash)" in ~/.bashrc';
  }
}

import type { CommandModel } from "../model.ts";

/** The shells that completions are made for. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;

/** One of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];

/** The completion script of a shell for all the given commands, each callable by its name. */
export async function completionScript(
  shell: Shell,
  models: readonly CommandModel[],
): Promise<string> {
  switch (shell) {
    case "bash":
      return (await import("./bash.ts")).bashCompletion(models);
    case "zsh":
      return (await import("./zsh.ts")).zshCompletion(models);
    case "fish":
      return (await import("./fish.ts")).fishCompletion(models);
    case "powershell":
      return (await import("./powershell.ts")).powershellCompletion(models);
  }
}

/** The shells that blast changes. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;

/** One of {@link SHELLS}. */
export type ShellName = (typeof SHELLS)[number];

/** True for a shell that there is an integration for. */
export function isShellName(text: string | undefined): text is ShellName {
  return SHELLS.some((name) => name === text);
}

/** Kernel command lines of deployments. Pure. */

/** What a deployment is started with. */
export interface RootOptions {
  /** UUID of the btrfs. */
  readonly uuid: string;
  /** From the top level: `.snapshots/deploy/deploy-N-K`. */
  readonly subvolume: string;
  /** Further words, such as `console=ttyS0`. */
  readonly extra: string;
}

/** Words that name the root: only a deployment itself knows what belongs there. */
const OWN_WORDS = /^(root|rootflags|rootfstype|rd\.luks\.uuid|BOOT_IMAGE|initrd)=|^(ro|rw)$/;
/** A kernel that stops must restart, or nobody counts the boot as failed. */
const PANIC = "panic=10";

/** The command line: the root by UUID, its subvolume by name, never by the default one. */
export function commandLine(options: RootOptions): string {
  const extra = wordsOf(options.extra).filter((word) => !OWN_WORDS.test(word));
  const panic = extra.some((word) => word.startsWith("panic=")) ? [] : [PANIC];
  const root = [`root=UUID=${options.uuid}`, `rootflags=subvol=${options.subvolume}`, "rw"];
  return [...root, ...panic, ...extra].join(" ");
}

/** The deployment that a running kernel was started with, as numbers; undefined: none of ours. */
export function deploymentOfCommandLine(
  text: string,
): { readonly snapshot: number; readonly deployment: number } | undefined {
  for (const word of wordsOf(text)) {
    if (!word.startsWith("rootflags=")) continue;
    const found = /[=,]subvol=\/?\.snapshots\/deploy\/deploy-(\d{1,9})-(\d{1,9})(?:,|$)/.exec(word);
    if (found !== null) return { snapshot: Number(found[1]), deployment: Number(found[2]) };
  }
  return undefined;
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** Old words for a machine in which something is wrong. */
const WORDS: Readonly<Record<string, string>> = {
  "1": "rescue",
  s: "rescue",
  S: "rescue",
  single: "rescue",
  rescue: "rescue",
  emergency: "emergency",
  "-b": "emergency",
};

/** The target that a kernel's command line asks for; undefined where it asks for none. */
export function kernelTarget(commandLine: string): string | undefined {
  let target: string | undefined;
  for (const word of commandLine.trim().split(/\s+/)) {
    const named = /^rinit\.target=(\S+)$/.exec(word)?.[1];
    target = named ?? (Object.hasOwn(WORDS, word) ? WORDS[word] : undefined) ?? target;
  }
  return target;
}

/** What a METADATA file is made of. */
export interface Metadata {
  readonly requires?: readonly string[];
  /** By extra: what it adds. */
  readonly extras?: Readonly<Record<string, readonly string[]>>;
  readonly requiresPython?: string;
}

/** A METADATA file. */
export function metadataText(name: string, version: string, what: Metadata = {}): string {
  const { requires = [], extras = {}, requiresPython } = what;
  const lines = ["Metadata-Version: 2.3", `Name: ${name}`, `Version: ${version}`];
  if (requiresPython !== undefined) lines.push(`Requires-Python: ${requiresPython}`);
  lines.push(...requires.map((text) => `Requires-Dist: ${text}`));
  for (const [extra, list] of Object.entries(extras)) {
    lines.push(`Provides-Extra: ${extra}`);
    for (const text of list) {
      const [bare = "", marker] = text.split(";");
      const condition = marker === undefined ? "" : `(${marker.trim()}) and `;
      lines.push(`Requires-Dist: ${bare.trim()} ; ${condition}extra == '${extra}'`);
    }
  }
  return `${lines.join("\n")}\n\n`;
}

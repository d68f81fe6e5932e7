import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname } from "node:path";

/** One part of bench/RESULTS.md; each benchmark owns one and leaves the others alone. */
export interface Section {
  /** Stands in the markers, such as "start-up". */
  readonly id: string;
  readonly title: string;
  /** Markdown below the title. */
  readonly body: string;
}

const PREAMBLE = `# Results

Each section is written by its own script, in one run on one machine. Compare within a section:
ratios hold between machines, absolute figures do not.
`;

/** The document with a section replaced, or added at the end. */
export function withSection(document: string, section: Section): string {
  const begin = `<!-- begin ${section.id} -->`;
  const end = `<!-- end ${section.id} -->`;
  const text = `${begin}\n## ${section.title}\n\n${section.body.trim()}\n${end}`;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from === -1 || to < from) return `${document.trimEnd()}\n\n${text}\n`;
  return document.slice(0, from) + text + document.slice(to + end.length);
}

/** Writes a section into a results file, making the file when it is absent. */
export function writeSection(path: string, section: Section): void {
  mkdirSync(dirname(path), { recursive: true });
  const before = existsSync(path) ? readFileSync(path, "utf8") : PREAMBLE;
  const temporary = `${path}.new`;
  writeFileSync(temporary, withSection(before, section));
  renameSync(temporary, path);
}

/** A Markdown table; all but the first column are aligned to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = header.map((_, index) => (index === 0 ? "---" : "---:"));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The value below which a share of the samples lies, by linear interpolation. */
export function quantile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new Error("Cannot take a quantile of no samples");
  const sorted = [...samples].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}

/** The machine and the day in one line, without its name. */
export function machineLine(): string {
  const day = new Date().toISOString().slice(0, 10);
  const kernel = Bun.spawnSync(["uname", "-sr"]).stdout.toString().trim();
  const cores = cpus();
  return `${day}, ${kernel}, ${cores.length} x ${cores[0]?.model ?? "unknown"}, Bun ${Bun.version}`;
}

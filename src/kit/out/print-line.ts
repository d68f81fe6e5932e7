/**
 * One short line on stdout at the least possible cost: `console.log` is synchronous (docs/bun.md),
 * and node:fs, which the printer needs, would cost `--version` 5 MiB and a fifth of its time. A
 * reader that has gone is ignored; so is a full disk, which is why nothing but `--version` uses
 * it.
 */
export function printLine(text: string): void {
  // biome-ignore lint/suspicious/noConsole: this folder is the one that writes
  console.log(text);
}

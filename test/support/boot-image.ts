import { truncateSync, writeFileSync } from "node:fs";

const ENVIRONMENT = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };

function run(command: readonly string[], input = ""): void {
  const stdin = Buffer.from(input);
  const result = Bun.spawnSync([...command], { env: ENVIRONMENT, stdin, stderr: "pipe" });
  if (!result.success) throw new Error(`${command[0]}: ${result.stderr.toString().trim()}`);
}

function makeEmpty(path: string, sizeMiB: number): void {
  writeFileSync(path, "");
  truncateSync(path, sizeMiB * 1024 * 1024);
}

/** A FAT file system in a file, of the serial number 1234-ABCD; returns its path. */
export function makeFatImage(path: string, sizeMiB: number): string {
  makeEmpty(path, sizeMiB);
  run(["mkfs.vfat", "-F", sizeMiB < 40 ? "16" : "32", "-i", "1234ABCD", path]);
  return path;
}

/** A disk image with a GPT and an EFI system partition at 1 MiB; returns its path. */
export function makeDiskImage(path: string, espMiB: number): string {
  makeEmpty(path, espMiB + 4);
  run(["sfdisk", "-q", path], `label: gpt\nstart=2048, size=${espMiB}MiB, type=uefi\n`);
  const sectors = String((espMiB * 1024 * 1024) / 1024);
  run(["mkfs.vfat", "-F", "32", "-i", "1234ABCD", "--offset", "2048", path, sectors]);
  return path;
}

#!/usr/bin/env bun
/**
 * A disk image of a folder: the compiled rastos against shell scripts of the same steps, as whole
 * processes, interleaved: `bun run bench/rastos-image.ts`. One script mounts a loop device, as
 * root, and comes to the same layout; the other does without, by `mkfs.btrfs -r`, and makes no
 * subvolumes. Build first: it measures dist/rastos as it is.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { makeBootableFolder } from "../test/support/deploy-world.ts";
import { cannotMount } from "../test/support/loop-filesystem.ts";
import { machineLine, quantile, table, writeSection } from "./report.ts";

const RASTOS = resolve(import.meta.dir, "../dist/rastos");
const RESULTS = join(import.meta.dir, "RESULTS.md");
const TOOLS = ["sfdisk", "mkfs.vfat", "mcopy", "mkfs.btrfs", "btrfs", "losetup", "dd"];

const USAGE = `Usage: bun run bench/rastos-image.ts [OPTIONS]

  --rounds N   Runs of each way [15]
  --files N    Small files of the system [20000], beside 300 MiB of large ones
  --quick      Try everything out: 2 rounds, 500 files, nothing written
  --print      Write nothing, print the section`;

const GPT = `label: gpt
start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649
start=4096, size=262144, type=uefi
start=266240, type=linux
`;

/** Both scripts: partitions, boot partition, kernel. @param $1 the folder @param $2 the image */
const BEGIN = `set -e
truncate -s 2G "$2"
printf '${GPT.replaceAll("\n", "\\n")}' | sfdisk -q "$2"
mkfs.vfat -F 32 -s 2 --offset 4096 "$2" 131072 >/dev/null 2>&1
esp="$2@@$((4096 * 512))"
modules=$(echo "$1"/usr/lib/modules/*)
mmd -i "$esp" ::EFI ::EFI/BOOT ::EFI/rastos ::EFI/rastos/0-1 ::loader ::loader/entries
mcopy -i "$esp" "$1/usr/lib/systemd/boot/efi/systemd-bootx64.efi" ::EFI/BOOT/BOOTX64.EFI
mcopy -i "$esp" "$modules/vmlinuz" "$modules/initramfs" ::EFI/rastos/0-1/
`;

const ROOTLESS = `${BEGIN}
truncate -s 1900M "$2.btrfs"
mkfs.btrfs -q -r "$1" "$2.btrfs"
dd if="$2.btrfs" of="$2" bs=1M seek=130 conv=notrunc,sparse status=none
rm "$2.btrfs"
sync "$2"
`;

const MOUNTED = `${BEGIN}
loop=$(losetup --find --show --offset $((130 * 1024 * 1024)) "$2")
mkfs.btrfs -q "$loop"
at="$2.mounted"; mkdir "$at"; mount "$loop" "$at"
mkdir -p "$at/.snapshots/rootfs" "$at/.snapshots/etc" "$at/.snapshots/var" "$at/.snapshots/deploy"
for part in rootfs/snapshot-0 etc/etc-0 var/var-0; do
  btrfs -q subvolume create "$at/.snapshots/$part"
done
cp -a "$1/." "$at/.snapshots/rootfs/snapshot-0"
for part in etc var; do
  mv "$at/.snapshots/rootfs/snapshot-0/$part"/* "$at/.snapshots/$part/$part-0/"
done
deploy="$at/.snapshots/deploy/deploy-0-1"
btrfs -q subvolume snapshot "$at/.snapshots/rootfs/snapshot-0" "$deploy"
for part in etc var; do
  rmdir "$deploy/$part"
  btrfs -q subvolume snapshot "$at/.snapshots/$part/$part-0" "$deploy/$part"
done
for part in rootfs/snapshot-0 etc/etc-0 var/var-0; do
  btrfs property set "$at/.snapshots/$part" ro true
done
umount "$at"; losetup -d "$loop"; rmdir "$at"
sync "$2"
`;

process.exitCode = main(process.argv.slice(2));

function main(argv: readonly string[]): number {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: "string" },
      files: { type: "string" },
      quick: { type: "boolean", default: false },
      print: { type: "boolean", default: false },
      help: { type: "boolean", default: false, short: "h" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const reason = whyNot();
  if (reason !== undefined) {
    console.error(`error: Cannot measure: ${reason}`);
    return 1;
  }
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 15));
  const files = Number(values.files ?? (values.quick ? 500 : 20_000));
  const body = measure({ rounds, files, largeMiB: values.quick ? 20 : 300 });
  console.log(body);
  if (!values.quick && !values.print) {
    writeSection(RESULTS, { id: "rastos-image", title: "rastOS: images", body });
  }
  return 0;
}

function whyNot(): string | undefined {
  if (!existsSync(RASTOS)) return "dist/rastos is not built";
  const path = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  const missing = TOOLS.find((name) => Bun.which(name, { PATH: path }) === null);
  return missing === undefined ? cannotMount("btrfs") : `${missing} is not installed`;
}

interface Arm {
  readonly label: string;
  readonly argv: (image: string) => readonly string[];
  readonly wallMs: number[];
  storedMiB: number;
}

function measure(options: {
  readonly rounds: number;
  readonly files: number;
  readonly largeMiB: number;
}): string {
  const scratch = mkdtempSync(join(tmpdir(), "triad-bench-image-"));
  try {
    const system = makeBootableFolder(join(scratch, "system"));
    fill(system, options);
    const flags = ["--size", "2G", "--esp-size", "128M", "-q"];
    const script = (text: string) => (image: string) => ["sh", "-c", text, "sh", system, image];
    const arms: Arm[] = [
      arm("rastos image build", (image) => [
        ...[RASTOS, "image", "build", "--base", system, "-o", image, ...flags],
      ]),
      arm("script with a loop device: the same subvolumes", script(MOUNTED)),
      arm("script with mkfs.btrfs -r: no subvolumes", script(ROOTLESS)),
    ];
    for (let round = 0; round < options.rounds; round++) {
      for (const one of [...arms].sort(() => Math.random() - 0.5)) {
        runOnce(one, join(scratch, "disk.raw"));
      }
    }
    return render(arms, options);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function arm(label: string, argv: Arm["argv"]): Arm {
  return { label, argv, wallMs: [], storedMiB: 0 };
}

function fill(
  folder: string,
  options: { readonly files: number; readonly largeMiB: number },
): void {
  const loader = join(folder, "usr/lib/systemd/boot/efi");
  mkdirSync(loader, { recursive: true });
  writeFileSync(join(loader, "systemd-bootx64.efi"), "loader ".repeat(15_000));
  for (let index = 0; index < options.files; index++) {
    const place = join(folder, "usr/share", `d${index % 200}`);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `f${index}`), "x".repeat(500 + ((index * 37) % 12_000)));
  }
  const block = new Uint8Array(10 * 1024 ** 2);
  for (let index = 0; index < options.largeMiB / 10; index++) {
    for (let at = 0; at < block.length; at += 65_536) {
      crypto.getRandomValues(block.subarray(at, at + 65_536));
    }
    writeFileSync(join(folder, "usr/lib", `large-${index}`), block);
  }
}

function runOnce(one: Arm, image: string): void {
  rmSync(image, { force: true });
  Bun.spawnSync(["sync"]);
  const start = Bun.nanoseconds();
  const run = Bun.spawnSync([...one.argv(image)], {
    env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, MTOOLS_SKIP_CHECK: "1" },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  one.wallMs.push((Bun.nanoseconds() - start) / 1e6);
  if (!run.success) throw new Error(`${one.label}: ${run.stderr.toString().trim()}`);
  one.storedMiB = statSync(image).blocks / 2048;
}

function render(
  arms: readonly Arm[],
  options: { readonly rounds: number; readonly files: number; readonly largeMiB: number },
): string {
  const ours = arms[0]?.wallMs ?? [];
  const rows = arms.map(({ label, wallMs, storedMiB }) => {
    const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(wallMs, share) / 1000);
    const ratio = quantile(
      ours.map((value, index) => value / (wallMs[index] ?? Number.NaN)),
      0.5,
    );
    return [
      label,
      `${middle?.toFixed(2)} (${low?.toFixed(2)}–${high?.toFixed(2)})`,
      ratio.toFixed(2),
      storedMiB.toFixed(0),
    ];
  });
  return [
    `${machineLine()}. ${options.files} small files and ${options.largeMiB} MiB of large ones, ` +
      `${options.rounds} rounds, whole processes, all synced.`,
    "",
    table(["how", "s: median (quartiles)", "ours / theirs", "MiB on the disk"], rows),
    "",
    "All three make a GPT, a FAT with kernel and boot loader and a btrfs. Only the first gives the",
    "same bytes each time, and needs no root for its subvolumes.",
  ].join("\n");
}

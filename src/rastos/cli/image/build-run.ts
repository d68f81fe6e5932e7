import type { CommandContext } from "../../../kit/cli/command.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { createProgress } from "../../../kit/out/progress.ts";
import { formatBytes, formatCount, formatSeconds } from "../../../kit/text/format.ts";
import {
  buildImage,
  type ImageEvent,
  type ImageFormat,
  type ImageResult,
} from "../../image/build.ts";
import { type DiskContents, firmwareOf } from "../../image/compose.ts";
import type { BuildArgs } from "./build.ts";
import { parseSize, sourceOf } from "./source.ts";

type Context = Pick<CommandContext<BuildArgs>, "args" | "printer">;

/** Builds an image, or shows what it would hold. */
export async function run({ args, printer }: Context): Promise<void> {
  const source = await sourceOf(args, args.system);
  const format = args.format ?? formatOf(args.output);
  const startedMs = performance.now();
  const teller = new Teller(printer);
  let result: ImageResult;
  try {
    result = await buildImage(
      {
        ...source,
        output: args.output,
        format,
        sizeBytes: parseSize("size", args.size),
        isForced: args.force,
      },
      { isDryRun: args["dry-run"], onEvent: (event) => teller.tell(event) },
    );
  } finally {
    teller.end();
  }
  for (const note of result.notes) printer.note(`note: ${note}`);
  const shown = { output: args.output, format, isDryRun: args["dry-run"] };
  if (printer.jsonMode) printer.json(imageJson(result, shown));
  else report(result, shown, printer);
  if (!args["dry-run"]) {
    printer.note(
      `Built ${args.output} in ${formatSeconds((performance.now() - startedMs) / 1000)}`,
    );
  }
}

interface Shown {
  readonly output: string;
  readonly format: ImageFormat;
  readonly isDryRun: boolean;
}

function formatOf(path: string): ImageFormat {
  return path.endsWith(".qcow2") ? "qcow2" : "raw";
}

function imageJson(result: ImageResult, shown: Shown) {
  return {
    schema: "rastos.image/1",
    output: shown.output,
    format: shown.format,
    dryRun: shown.isDryRun,
    ...diskJson(result.contents),
    usedBytes: result.usedBytes,
    notes: result.notes,
  };
}

/** What a disk holds, as data. */
export function diskJson(contents: DiskContents) {
  const { layout, identity, btrfs, kernelVersion } = contents;
  const { bios, esp, root } = layout;
  return {
    sizeBytes: layout.sizeBytes,
    partitions: [bios, esp, root].map(({ name, start, sizeBytes }) => ({ name, start, sizeBytes })),
    filesystemUuid: identity.filesystem,
    diskGuid: identity.disk,
    kernelVersion,
    boots: firmwareOf(contents).map((firmware) => firmware.toLowerCase()),
    dataBytes: btrfs.dataBytes,
    files: btrfs.inodes,
  };
}

function report({ contents }: ImageResult, shown: Shown, printer: Printer): void {
  const { layout, btrfs, kernelVersion, identity } = contents;
  const boots = firmwareOf(contents).join(" and ");
  printer.out(
    `${shown.output}: ${formatBytes(layout.sizeBytes)}, ${shown.format}, boots by ${boots}`,
  );
  printer.out(`  boot partition  ${formatBytes(layout.esp.sizeBytes)}`);
  printer.out(
    `  btrfs           ${formatBytes(layout.root.sizeBytes)}, ` +
      `${formatBytes(btrfs.dataBytes)} in ${formatCount(btrfs.inodes, "file")}`,
  );
  printer.out(`  kernel          ${kernelVersion}`);
  printer.out(`  file system     ${identity.filesystem}`);
}

/** Says what happens, on stderr. */
export class Teller {
  readonly #printer: Printer;
  #progress: ReturnType<typeof createProgress> | undefined;
  #last = "";

  constructor(printer: Printer) {
    this.#printer = printer;
  }

  tell(event: ImageEvent): void {
    switch (event.kind) {
      case "step":
        this.end();
        this.#printer.verbose(`Next: ${event.step}`);
        return;
      case "package":
        if (event.name === this.#last) return;
        this.#last = event.name;
        this.#printer.verbose(`Package ${event.name}`);
        return;
      case "bytes": {
        this.#progress ??= createProgress(this.#printer, { label: "Writing" });
        const { done: doneBytes, total: totalBytes } = event;
        this.#progress.update({ doneBytes, totalBytes, doneItems: 0, totalIsFinal: true });
      }
    }
  }

  end(): void {
    this.#progress?.finish();
    this.#progress = undefined;
  }
}

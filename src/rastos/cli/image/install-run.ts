import { basename } from "node:path";
import { askForText } from "../../../kit/cli/ask.ts";
import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { sanitise } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatBytes, formatCount, formatSeconds } from "../../../kit/text/format.ts";
import type { ImageEvent } from "../../image/build.ts";
import { firmwareOf } from "../../image/compose.ts";
import {
  contentsText,
  type InstallPlan,
  install,
  installFolder,
  planInstallation,
} from "../../image/install.ts";
import { diskJson, Teller } from "./build-run.ts";
import type { InstallArgs } from "./install.ts";
import { sourceOf } from "./source.ts";

type Context = Pick<CommandContext<InstallArgs>, "args" | "printer">;

/** Installs a system onto a disk: look, plan, show, ask, write. */
export async function run({ args, printer }: Context): Promise<void> {
  const source = await sourceOf(args, args.system);
  using work = installFolder(args.work);
  const request = {
    ...source,
    disk: args.disk,
    isWiped: args.wipe,
    workFolder: work.path,
    seed: args.seed,
  };
  const teller = new Teller(printer);
  const startedMs = performance.now();
  try {
    const onEvent = (event: ImageEvent): void => {
      work.throwIfInterrupted();
      teller.tell(event);
    };
    const plan = await planInstallation(request, onEvent);
    teller.end();
    showPlan(plan, args["dry-run"], printer);
    if (args["dry-run"]) return;
    if (!args.yes) await confirm(plan, printer);
    await install(plan, request, onEvent);
  } finally {
    teller.end();
  }
  const seconds = formatSeconds((performance.now() - startedMs) / 1000);
  printer.note(`Installed onto ${args.disk} in ${seconds}`);
}

function showPlan(plan: InstallPlan, isDryRun: boolean, printer: Printer): void {
  const { disk, contents } = plan;
  if (printer.jsonMode) {
    const { path, kind, sizeBytes, model, contents: found, partitions } = disk;
    const now = { path, kind, sizeBytes, model, contents: found, partitions };
    const then = diskJson(contents);
    printer.json({ schema: "rastos.install/1", dryRun: isDryRun, now, then, notes: plan.notes });
    return;
  }
  const model = disk.model === undefined ? "" : ` (${sanitise(disk.model)})`;
  printer.out(`${disk.path}${model}: ${formatBytes(disk.sizeBytes)}`);
  printer.out(`  now   ${sanitise(contentsText(disk) ?? "empty")}`);
  const { layout, btrfs, kernelVersion } = contents;
  for (const [index, part] of [layout.bios, layout.esp, layout.root].entries()) {
    const what = { bios: "for GRUB's core", esp: "boot partition, FAT", root: "btrfs" }[part.role];
    printer.out(`  then  partition ${index + 1} of ${formatBytes(part.sizeBytes)}: ${what}`);
  }
  const files = `${formatCount(btrfs.inodes, "file")}, ${formatBytes(btrfs.dataBytes)}`;
  const boots = firmwareOf(contents).join(" and ");
  printer.out(`        ${files}; kernel ${kernelVersion}; boots by ${boots}`);
  for (const note of plan.notes) printer.note(`note: ${note}`);
}

/** Whoever types the disk's name has looked at it. */
async function confirm(plan: InstallPlan, printer: Printer): Promise<void> {
  const name = basename(plan.disk.path);
  const question = `Everything on ${plan.disk.path} will be gone. Type "${name}" to go on:`;
  const answer = await askForText(printer, question);
  if (answer === name) return;
  throw new Fault({
    code: "E_CONFIRM",
    message:
      answer === undefined
        ? `Cannot ask whether to overwrite "${plan.disk.path}": there is no terminal`
        : `Not installed: "${answer}" is not "${name}"`,
    hint: answer === undefined ? "--yes says that you mean it" : "nothing has been changed",
  });
}

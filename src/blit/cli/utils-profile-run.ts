import { cpus, release, totalmem } from "node:os";
import type { CommandContext } from "../../kit/cli/command.ts";
import type { Environment } from "../../kit/config/paths.ts";
import { formatBytes, formatCount, formatRate, formatSeconds } from "../../kit/text/format.ts";
import { type Column, formatTable } from "../../kit/text/table.ts";
import { versionInfo } from "../../kit/version.ts";
import { loadBlitConfig } from "../config.ts";
import { createPredictor } from "../plan/predictor.ts";
import type { ProfileStep } from "../profile/measure.ts";
import { createTelemetry } from "../telemetry.ts";
import { shownName } from "./entry-rows.ts";
import type { ProfileArgs } from "./utils-profile.ts";

const MIB = 1024 * 1024;
const largeMib = 256;
const smallFiles = 5000;

type Context = Pick<CommandContext<ProfileArgs>, "args" | "printer" | "rawPositionals">;

/** Runs `blit utils profile`. */
export async function run(
  context: Context,
  environment: Environment = process.env,
): Promise<number> {
  const { printer, args } = context;
  const folder = context.rawPositionals()[0];
  const machine = describeMachine();
  const steps =
    folder === undefined
      ? []
      : await (await import("../profile/measure.ts")).measure({
          folder,
          largeBytes: (args["size-mib"] ?? largeMib) * MIB,
          smallFiles: args.files ?? smallFiles,
          onStep: (step) => printer.verbose(`${step.name}: ${formatSeconds(step.seconds)}`),
        });
  const learned = await whatWasLearnt(environment);
  if (printer.jsonMode) {
    printer.json({ schema: "blit.profile/1", machine, folder: shownOf(folder), steps, learned });
    return 0;
  }
  for (const line of machineLines(machine)) printer.out(line);
  printer.out(`${formatCount(learned.length, "kind")} of runs learnt from: blit diagnostics perf`);
  if (steps.length > 0) {
    printer.out("");
    for (const line of formatTable(columns, steps.map(rowOf))) printer.out(line);
  }
  return 0;
}

function shownOf(folder: string | undefined): string | null {
  return folder === undefined ? null : shownName(folder);
}

async function whatWasLearnt(environment: Environment) {
  const config = await loadBlitConfig(environment);
  const telemetry = createTelemetry({ environment, enabled: config.telemetry.enabled });
  const records = telemetry.readTail();
  return createPredictor({ records, now: Date.now, random: Math.random }).learned();
}

/** What figures depend on, and nothing that names a user or a machine. */
function describeMachine() {
  const { version, commit, bun, platform } = versionInfo();
  const processors = cpus();
  return {
    version,
    commit,
    bun,
    platform,
    kernel: release(),
    processor: processors[0]?.model.trim() ?? "unknown",
    threads: processors.length,
    memoryBytes: totalmem(),
  };
}

function machineLines(machine: ReturnType<typeof describeMachine>): string[] {
  const { version, commit, bun, platform, kernel, processor, threads, memoryBytes } = machine;
  return [
    `blit ${version} (commit ${commit}, Bun ${bun}), ${platform}, kernel ${kernel}`,
    `${processor}, ${formatCount(threads, "thread")}, ${formatBytes(memoryBytes)} of memory`,
  ];
}

const columns: readonly Column[] = [
  { title: "Step" },
  { title: "Files", align: "right" },
  { title: "Size", align: "right" },
  { title: "Time", align: "right" },
  { title: "Rate", align: "right" },
];

function rowOf(step: ProfileStep): string[] {
  const { name, files, bytes, seconds } = step;
  const perSecond = seconds === 0 ? 0 : files / seconds;
  return [
    name,
    String(files),
    formatBytes(bytes),
    formatSeconds(seconds),
    files > 1
      ? `${Math.round(perSecond)} files/s`
      : formatRate(seconds === 0 ? 0 : bytes / seconds),
  ];
}

import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatCount, formatSeconds } from "../../../kit/text/format.ts";
import {
  buildKernel,
  type KernelBuildRequest,
  type KernelBuildResult,
  planKernelBuild,
} from "../../kernel/build.ts";
import { defaultJobs } from "../../kernel/make.ts";
import { findProfile, KERNEL_PROFILES, type KernelProfile } from "../../kernel/profiles.ts";
import type { BuildArgs } from "./build.ts";
import { KernelTeller, overrideText } from "./kernel-teller.ts";

type Context = Pick<CommandContext<BuildArgs>, "args" | "printer">;

/** Builds a kernel, or shows how it would be built. */
export async function run(context: Context): Promise<number> {
  const request = requestOf(context);
  if (context.args["dry-run"]) return await showPlan(request, context.printer);
  const startedMs = performance.now();
  const teller = new KernelTeller(context.printer);
  try {
    const result = await buildKernel(request, (event) => teller.tell(event));
    teller.end();
    report(result, context.printer, (performance.now() - startedMs) / 1000);
    return 0;
  } finally {
    teller.end();
  }
}

function requestOf({ args }: Context): KernelBuildRequest {
  const environment = process.env;
  const ccache = args.ccache ? Bun.which("ccache", { PATH: environment["PATH"] ?? "" }) : null;
  return {
    source: args.source,
    output: args.output,
    jobs: args.jobs ?? defaultJobs(),
    profile: profileOf(args.profile),
    base: args.base === undefined ? undefined : checkedBase(args.base),
    configFile: args.config,
    ccache: ccache ?? undefined,
    isStrict: args.strict,
    isPackaged: args.package,
    isConfigOnly: args["config-only"],
    isVerbose: args.debug,
    environment,
  };
}

function profileOf(name: string): KernelProfile | undefined {
  const profile = findProfile(name);
  if (profile !== undefined || name === "none") return profile;
  const names = KERNEL_PROFILES.map((each) => each.name).join(", ");
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot use the profile "${name}": there is none of that name`,
    hint: `the profiles are ${names}, and none`,
  });
}

/** Nothing else may become a target of make: `--base mrproper` would work on the sources. */
function checkedBase(base: string): string {
  if (/^[a-z0-9][\w-]*config$/.test(base)) return base;
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot start from "${base}": it is no configuration target`,
    hint: "such targets are defconfig, tinyconfig, allnoconfig and the like",
  });
}

function report(result: KernelBuildResult, printer: Printer, seconds: number): void {
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.kernel-build/1", dryRun: false, ...result });
    return;
  }
  const kept = result.wantedCount - result.lost.length;
  printer.note(`Kept ${kept} of ${formatCount(result.wantedCount, "wanted setting")}`);
  if (result.image === undefined) {
    printer.out(result.config);
    return;
  }
  const files = formatCount(result.compiled, "file");
  printer.note(`Built Linux ${result.version} in ${formatSeconds(seconds)}, ${files} compiled`);
  printer.out(result.image);
  if (result.packageFile !== undefined) printer.out(result.packageFile);
}

async function showPlan(request: KernelBuildRequest, printer: Printer): Promise<number> {
  const plan = await planKernelBuild(request);
  if (printer.jsonMode) {
    const { layers, ...rest } = plan;
    const wanted = layers.flatMap(({ name, lines }) =>
      lines.map((line) => ({ layer: name, ...line })),
    );
    printer.json({ schema: "rastos.kernel-build/1", dryRun: true, ...rest, wanted });
    return 0;
  }
  printer.out(`Would build Linux ${plan.version} with ${formatCount(plan.jobs, "job")}`);
  const layers = plan.layers.map(
    ({ name, lines }) => `${name} (${formatCount(lines.length, "setting")})`,
  );
  printer.out(`Configuration: ${[plan.base, ...layers].join(", then ")}`);
  for (const override of plan.overrides) printer.out(`  ${overrideText(override)}`);
  for (const command of plan.commands) printer.out(`  ${command.map(quoted).join(" ")}`);
  printer.out(`Log: ${plan.paths.log}`);
  printer.out(`Kernel and modules: ${plan.paths.install}`);
  return 0;
}

/** As a shell takes it. */
function quoted(word: string): string {
  return /^[\w./=:,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

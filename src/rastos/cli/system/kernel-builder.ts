import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../../kit/fault/fault.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { stateFolder } from "../../snapshot/layout.ts";
import type { KernelBuilder } from "../../system/apply.ts";

/**
 * Builds kernels as `rastos kernel build --package` does. What was compiled stays beside the
 * snapshots, so that the next build of the same sources is short.
 *
 * @param top the btrfs top level
 */
export function kernelBuilder(top: string, printer: Printer): KernelBuilder {
  return async (profile, source) => {
    const [{ buildKernel }, { defaultJobs }, { findProfile }, { KernelTeller }] = await Promise.all(
      [
        import("../../kernel/build.ts"),
        import("../../kernel/make.ts"),
        import("../../kernel/profiles.ts"),
        import("../kernel/kernel-teller.ts"),
      ],
    );
    const output = join(stateFolder(top), "kernels", profile);
    mkdirSync(join(output, ".."), { recursive: true, mode: 0o700 });
    const teller = new KernelTeller(printer);
    try {
      const { packageFile } = await buildKernel(
        {
          source,
          output,
          jobs: defaultJobs(),
          profile: findProfile(profile),
          base: undefined,
          configFile: undefined,
          ccache: Bun.which("ccache") ?? undefined,
          isStrict: false,
          isPackaged: true,
          isConfigOnly: false,
          isVerbose: false,
          environment: process.env,
        },
        (event) => teller.tell(event),
      );
      if (packageFile !== undefined) return packageFile;
      throw new Fault({ code: "E_BUG", message: "A kernel was built and not packed" });
    } finally {
      teller.end();
    }
  };
}

import { join } from "node:path";
import type { Printer } from "../../../kit/out/printer.ts";
import { stateFolder } from "../../snapshot/layout.ts";
import type { AurBuilder } from "../../system/apply.ts";

/**
 * Builds packages of the AUR as `rastos aur install` does: each commit that nobody has reviewed is
 * shown and asked for, unless it is named. What was decided outlives the snapshots.
 *
 * @param top the btrfs top level
 */
export function aurBuilder(
  top: string,
  how: { readonly printer: Printer; readonly reviewed: readonly string[] | undefined },
): AurBuilder {
  return async (names, packages) => {
    const [{ aurCacheFolder, buildAurPackages }, { approveNamed }, { askForReview }] =
      await Promise.all([
        import("../../aur/build-packages.ts"),
        import("../../aur/review.ts"),
        import("../aur/show-review.ts"),
      ]);
    const { printer, reviewed = [] } = how;
    return await buildAurPackages(names, {
      packages,
      environment: process.env,
      approve: approveNamed(reviewed, askForReview(printer)),
      cacheFolder: aurCacheFolder(top, process.env),
      lockFile: join(stateFolder(top), "aur.lock"),
      onEvent: (event) => {
        if (event.kind === "line") printer.verbose(Bun.stripANSI(event.text));
        else if (event.kind === "phase") printer.note(`${event.base}: ${event.phase}`);
      },
    });
  };
}

import { Fault } from "../../../kit/fault/fault.ts";
import { openPackageManager } from "../../package/open.ts";
import { optionsFor, type PackageChangeCommand, requestFor } from "./change-command.ts";
import type { PackageTarget } from "./target.ts";

/**
 * Makes sure that the deployment that boots would only be added to.
 *
 * @throws {Fault} E_REFUSED with what would go or change, E_NOT_FOUND without a deployment
 */
export async function requireAdditive(
  command: PackageChangeCommand,
  target: PackageTarget,
  signal: AbortSignal,
): Promise<void> {
  const options = optionsFor(command, { root: liveRoot(target) });
  using manager = openPackageManager(options, { signal });
  const refresh = command.fetches === "always" || !(await manager.hasDatabases());
  const { changes } = await manager.plan(requestFor(command, options), { refresh });
  const others = changes.filter(({ kind }) => kind !== "install" && kind !== "reinstall");
  if (others.length === 0) return;
  const shown = others.slice(0, 8).map(({ kind, name }) => `${kind} "${name}"`);
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot change the running system: it would also ${shown.join(", ")}`,
    hint: "without --live a new snapshot is made, to be deployed and booted",
    details: { changes: others },
  });
}

/** Does in the deployment that boots what was done in the new snapshot. */
export async function runLive(
  command: PackageChangeCommand,
  target: PackageTarget,
  signal: AbortSignal,
): Promise<void> {
  const options = optionsFor(command, { root: liveRoot(target) });
  using manager = openPackageManager(options, { signal });
  if (command.fetches === "always" || !(await manager.hasDatabases())) await manager.sync();
  await manager.run({ ...requestFor(command, options), onlyNeeded: true });
}

function liveRoot(target: PackageTarget): string {
  if (target.kind === "snapshot" && target.live !== undefined) return target.live;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: "Cannot change the running system: there is no deployment that boots",
    hint:
      target.kind === "folder"
        ? "a folder is changed as it is: leave --live out"
        : "`rastos deploy` makes one; leave --live out to make a snapshot only",
  });
}

import type { Printer } from "../../../kit/out/printer.ts";
import type { PackageRoot, RootPackageOptions } from "../../package/root-options.ts";
import type { TransactionRequest } from "../../package/types.ts";
import { optionsOf, requireRepositories } from "./options.ts";

/** A command that changes packages. */
export interface PackageChangeCommand {
  readonly args: {
    readonly root: string | undefined;
    readonly snapshot: string | undefined;
    readonly config: string | undefined;
    readonly "dry-run": boolean;
    readonly yes: boolean;
  };
  readonly printer: Printer;
  readonly commandPath: string;
  readonly request: TransactionRequest;
  /** `install vim, htop`: the snapshot is described by it. */
  readonly description: string;
  /** When the databases are fetched before. */
  readonly fetches: "never" | "if-missing" | "always";
  readonly isLive?: boolean;
}

/** The options of a place, which must name repositories where something is to come from them. */
export function optionsFor(command: PackageChangeCommand, place: PackageRoot): RootPackageOptions {
  const options = optionsOf(place, command.args.config);
  if ((command.request.install?.length ?? 0) > 0 || command.request.upgrade === true) {
    requireRepositories(options);
  }
  return options;
}

/** What is asked for, with what the place itself wants ignored. */
export function requestFor(
  { request }: PackageChangeCommand,
  { ignored }: RootPackageOptions,
): TransactionRequest {
  return { ...request, ignored: [...(request.ignored ?? []), ...ignored] };
}

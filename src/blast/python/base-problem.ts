import type { Interpreter } from "./probe.ts";
import { readVenvConfig } from "./venv-config.ts";

/** What is wrong with the Python that an environment was made from. */
export type BaseProblem =
  | { readonly kind: "gone"; readonly base: string; readonly version: string | undefined }
  /** Its packages lie where the new Python does not look, and may be built for the old one. */
  | { readonly kind: "changed"; readonly base: string; readonly was: string; readonly is: string };

/**
 * Whether the base Python was removed, moved, or has become another minor version or
 * implementation; undefined when the environment is fine. A newer patch release is fine.
 */
export function baseProblem(venv: string, base: Interpreter | undefined): BaseProblem | undefined {
  const config = readVenvConfig(venv);
  const was = config?.get("version_info") ?? config?.get("version");
  const home = config?.get("home") ?? "";
  if (base === undefined) return { kind: "gone", base: home, version: was };
  const implementation = config?.get("implementation") ?? "";
  const sameKind =
    implementation === "" ||
    implementation.toLowerCase() === base.markers.platform_python_implementation.toLowerCase();
  if (sameKind && (was === undefined || minorOf(was) === minorOf(base.version))) return undefined;
  return {
    kind: "changed",
    base: base.path,
    was: `${implementation} ${was ?? ""}`.trim(),
    is: `${base.markers.platform_python_implementation} ${base.version}`,
  };
}

function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

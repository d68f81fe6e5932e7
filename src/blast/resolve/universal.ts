import type { PackageIndex, Resolution, ResolveRequest, Target } from "./port.ts";

/** The answer for many environments. */
export async function resolveUniversal(
  _request: ResolveRequest,
  _target: Extract<Target, { kind: "universal" }>,
  _index: PackageIndex,
): Promise<Resolution> {
  throw new Error("not yet");
}

import type { MarkerEnvironment } from "../../src/blast/pep/marker-environment.ts";
import { parseRequirement } from "../../src/blast/pep/requirement.ts";
import type { Resolution, ResolveRequest, RootRequirement } from "../../src/blast/resolve/port.ts";

/** CPython on Linux. */
export function linuxMarkers(python = "3.12.1"): MarkerEnvironment {
  return {
    python_version: python.split(".").slice(0, 2).join("."),
    python_full_version: python,
    os_name: "posix",
    sys_platform: "linux",
    platform_machine: "x86_64",
    platform_python_implementation: "CPython",
    platform_release: "6.1.0",
    platform_system: "Linux",
    platform_version: "#1 SMP",
    implementation_name: "cpython",
    implementation_version: python,
  };
}

/** The user's requirements, as written in a file or on the command line. */
export function roots(texts: readonly string[], origin = "the command line"): RootRequirement[] {
  return texts.map((text) => ({ requirement: parseRequirement(text), origin }));
}

/** A request for one environment, where every wheel is usable. */
export function requestFor(
  requires: readonly string[],
  options: Partial<ResolveRequest> = {},
): ResolveRequest {
  return {
    target: { kind: "environment", markers: linuxMarkers() },
    requirements: roots(requires),
    constraints: [],
    overrides: [],
    strategy: "highest",
    preReleases: "if-necessary",
    preferences: new Map(),
    noBinary: new Set(),
    onlyBinary: new Set(),
    ...options,
  };
}

/** `name==version` of every package. */
export function pinsOf(resolution: Resolution): string[] {
  return resolution.packages.map(({ name, version }) => `${name}==${version}`);
}

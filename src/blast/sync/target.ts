/** The environment that versions are chosen for. */
import { Fault } from "../../kit/fault/fault.ts";
import { PepError } from "../pep/error.ts";
import type { MarkerEnvironment } from "../pep/marker-environment.ts";
import { supportedTags, type TagSet } from "../pep/tag.ts";
import { TARGET_PLATFORMS, targetFacts, targetMarkers } from "../pep/target-platform.ts";
import type { Interpreter } from "../python/probe.ts";

/** Flags that replace what the interpreter says. */
export interface TargetFlags {
  readonly "python-version"?: string | undefined;
  readonly "python-platform"?: string | undefined;
}

/** An environment as the resolver and the choice of files need it. */
export interface EnvironmentTarget {
  readonly kind: "environment";
  readonly markers: MarkerEnvironment;
  readonly tags: TagSet;
}

/**
 * What the interpreter says of itself, as far as the flags do not say otherwise.
 *
 * @throws {Fault} E_USAGE for a version or platform that is not understood
 */
export function targetOf(interpreter: Interpreter, flags: TargetFlags = {}): EnvironmentTarget {
  const version = flags["python-version"];
  const platform = flags["python-platform"];
  let { markers, tags } = interpreter;
  if (version !== undefined) {
    const full = fullVersion(version);
    const [major = "3", minor = "0"] = full.split(".");
    tags = { ...tags, version: [Number(major), Number(minor)] };
    markers = {
      ...markers,
      python_full_version: full,
      python_version: `${major}.${minor}`,
      implementation_version: full,
    };
  }
  if (platform !== undefined) {
    const [facts, seen] = known(platform, () => [targetFacts(platform), targetMarkers(platform)]);
    const { implementation, version: pair } = tags;
    tags = { ...facts, implementation, version: pair };
    markers = { ...markers, ...seen };
  }
  return { kind: "environment", markers, tags: supportedTags(tags) };
}

/** 3.12 stands for 3.12.0, as in uv: what needs a later patch release says so. */
function fullVersion(text: string): string {
  if (/^\d+\.\d+$/.test(text)) return `${text}.0`;
  if (/^\d+\.\d+\.\d+([a-z]+\d+)?$/.test(text)) return text;
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot resolve for Python "${text}": it is no version`,
    hint: "such as 3.12 or 3.12.1",
  });
}

function known<T>(platform: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PepError)) throw error;
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot resolve for the platform "${platform}": it is not known`,
      hint: `one of ${TARGET_PLATFORMS.slice(0, 4).join(", ")} …`,
    });
  }
}

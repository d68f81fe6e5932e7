/** Flags of the command line that say how sources are built; absent ones were not given. */
export interface BuildFlags {
  /** `KEY=VALUE`, for build backends. */
  readonly "config-setting"?: readonly string[];
  /** False: builds run in the environment itself, which must have what they need. */
  readonly "build-isolation"?: boolean;
  /** Files with versions that build requirements keep to. */
  readonly "build-constraint"?: readonly string[];
  readonly "no-binary"?: readonly string[];
  readonly "only-binary"?: readonly string[];
  readonly "exclude-newer"?: string | undefined;
}

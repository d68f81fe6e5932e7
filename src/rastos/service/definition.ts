import type { ServiceSettings } from "./schema.ts";

/** A service as its files define it. */
export interface ServiceDefinition extends ServiceSettings {
  readonly name: string;
  /** What is run: `exec`, or the shell with its line; empty for a target. */
  readonly command: readonly string[];
  /** The files, strongest last. */
  readonly files: readonly string[];
}

import type { z } from "zod";
import type { packageListSchema, systemSchema } from "./schema.ts";

/** What a system.toml declares, with its defaults. */
export type SystemConfig = z.output<typeof systemSchema>;

/** A user of it. */
export type UserConfig = SystemConfig["users"][number];

/** The original's package list. */
export type PackageList = z.output<typeof packageListSchema>;

/** A system.toml as read. */
export interface SystemFile {
  readonly path: string;
  /** As it is, byte for byte; kept with the snapshot that it makes. */
  readonly text: string;
  readonly config: SystemConfig;
  /** Sentences for who wrote it: what an old list does not say. */
  readonly notes: readonly string[];
  /** `list`: the original's package list. */
  readonly form: "system" | "list";
}

/** What an area of the configuration is called. */
export type ConfigurationArea =
  | "hostname"
  | "locale"
  | "timezone"
  | "keymap"
  | "users"
  | "groups"
  | "ssh keys"
  | "services"
  | "repositories"
  | "kernel"
  | "system.toml";

/** One thing that configuring a root has done, or would do. */
export interface ConfigurationChange {
  readonly area: ConfigurationArea;
  /** From the root, without a slash in front: `etc/hostname`. */
  readonly path: string;
  readonly action: "create" | "change" | "remove";
  /** A sentence without full stop; never a secret. */
  readonly text: string;
}

/** What configuring a root has done. */
export interface ConfigurationReport {
  /** In the order done; empty where all was right already. */
  readonly changes: readonly ConfigurationChange[];
  /** Sentences: what has no effect yet, and why. */
  readonly notes: readonly string[];
  /** Programs to be run in the root, so that it takes effect: `locale-gen`. */
  readonly programs: readonly (readonly string[])[];
}

/** How a root is configured. */
export interface ConfigureOptions {
  /** Kept as /etc/rastos/system.toml. */
  readonly systemText?: string | undefined;
  /** What counts as declared before, in the place of the root's own etc/rastos/system.toml. */
  readonly previous?: SystemConfig | undefined;
  /** Finds out what would change, and changes nothing. */
  readonly isDryRun?: boolean | undefined;
  /** Folders that stand for some of the system: `/home` → the subvolume that all share. */
  readonly sharedFolders?: ReadonlyMap<string, string> | undefined;
  /** Milliseconds since 1970; default: the clock of the machine. */
  readonly clock?: (() => number) | undefined;
}

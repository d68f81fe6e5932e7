import { join, resolve } from "node:path";
import { type ConfigFile, loadConfig } from "../../kit/config/load.ts";
import { parseToml } from "../../kit/config/toml.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import type { ServiceDefinition } from "./definition.ts";
import { SERVICE_NAME, type ServiceSettings, serviceSchema } from "./schema.ts";

/** Where service files are, weakest first: what is in the last folder overrides single keys. */
export const SERVICE_FOLDERS = ["/usr/lib/rinit", "/etc/rinit"] as const;

/** Which service files. */
export interface ServiceSource {
  /** Default {@link SERVICE_FOLDERS}. */
  readonly folders?: readonly string[];
  /** The root that the folders are in, and that no link in them leads out of. Default "/". */
  readonly root?: string;
}

/** What the folders hold. */
export interface LoadedServices {
  readonly services: ReadonlyMap<string, ServiceDefinition>;
  /** One for each service whose files cannot be used; the others are not affected. */
  readonly faults: ReadonlyMap<string, Fault>;
}

/**
 * Reads the services of the folders. "x@.toml" defines every "x@NAME" that is asked for, with NAME
 * in the place of "%i".
 *
 * @param instances services to be made of such templates, such as those that are enabled
 * @throws {Fault} E_NOT_FOUND, E_PRIVILEGE for the root
 */
export async function loadServices(
  source: ServiceSource = {},
  instances: readonly string[] = [],
): Promise<LoadedServices> {
  using files = openFiles(source);
  const services = new Map<string, ServiceDefinition>();
  const faults = new Map<string, Fault>();
  const named = files.names().filter((name) => !name.endsWith("@"));
  const queue = [...new Set([...named, ...instances])];
  const seen = new Set(queue);
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    try {
      const service = await readService(files, name);
      if (service === undefined || service.disabled) continue;
      services.set(name, service);
      for (const other of [...service.requires, ...service.wants]) {
        if (!other.includes("@") || seen.has(other)) continue;
        seen.add(other);
        queue.push(other);
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.set(name, error);
    }
  }
  return { services, faults };
}

interface ServiceFiles extends Disposable {
  names(): string[];
  /** The files of a service, weakest first. */
  of(name: string): Promise<ConfigFile[]>;
}

/** @throws {Fault} E_NOT_FOUND, E_PRIVILEGE */
function openFiles({ folders = SERVICE_FOLDERS, root: path = "/" }: ServiceSource): ServiceFiles {
  const root = RootFolder.open(path);
  const inside = folders.map((folder) => resolve("/", folder).slice(1));
  const shown = (file: string): string => join(path, file);
  return {
    names: () => {
      const files = inside.flatMap((folder) => root.names(folder));
      const names = files.map((file) => /^(.*)\.toml$/.exec(file)?.[1] ?? "");
      return [...new Set(names)].filter((name) => SERVICE_NAME.test(name)).sort();
    },
    of: async (name) => {
      const at = name.indexOf("@");
      const candidates = at < 0 ? [name] : [name.slice(0, at + 1), name];
      const found: ConfigFile[] = [];
      for (const file of inside.flatMap((one) => candidates.map((it) => `${one}/${it}.toml`))) {
        const text = root.readText(file);
        if (text === undefined) continue;
        const read = await parseToml(shown(file), text);
        // Layers of one name keep the order of the list.
        found.push({ name: "system", path: shown(file), read });
      }
      return found;
    },
    [Symbol.dispose]: () => root[Symbol.dispose](),
  };
}

/** Undefined where no folder has its file. @throws {Fault} E_CONFIG with file and line */
async function readService(
  source: ServiceFiles,
  name: string,
): Promise<ServiceDefinition | undefined> {
  if (!SERVICE_NAME.test(name)) return undefined;
  const files = await source.of(name);
  if (files.length === 0) return undefined;
  const settings: ServiceSettings = (await loadConfig({ schema: serviceSchema, files })).values;
  const instance = name.includes("@") ? name.slice(name.indexOf("@") + 1) : "";
  const paths = files.map(({ path }) => path);
  return define(name, withInstance(settings, instance), paths);
}

/** "%i" in every text is the instance, and "%%" a percent sign. */
function withInstance(settings: ServiceSettings, instance: string): ServiceSettings {
  if (instance === "") return settings;
  const replace = (value: unknown): unknown => {
    if (typeof value === "string") {
      return value.replace(/%[i%]/g, (found) => (found === "%i" ? instance : "%"));
    }
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replace(one)]));
  };
  return replace(settings) as ServiceSettings;
}

function define(
  name: string,
  settings: ServiceSettings,
  files: readonly string[],
): ServiceDefinition {
  const problem = contradiction(settings);
  if (problem !== undefined) {
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot use "${files.at(-1)}": ${problem}`,
      details: { file: files.at(-1) },
    });
  }
  const { exec, shell } = settings;
  const command = shell === undefined ? (exec ?? []) : ["/bin/sh", "-c", shell];
  return { ...settings, name, command, files };
}

/** What each key alone allows, and together makes no sense. */
function contradiction(settings: ServiceSettings): string | undefined {
  const { type, exec, shell, ready } = settings;
  if (exec !== undefined && shell !== undefined) return 'it has both "exec" and "shell"';
  const runs = exec !== undefined || shell !== undefined;
  if (type === "target") return runs ? 'a target runs nothing, but it has "exec"' : undefined;
  if (!runs) return 'it has no "exec"';
  if (type === "forking" && settings.pid_file === undefined) {
    return 'a service of type "forking" needs "pid_file"';
  }
  if (type === "oneshot" && settings.restart === "always") {
    return 'a service of type "oneshot" cannot have restart = "always"';
  }
  const kinds = Object.keys(ready);
  if (kinds.length > 1) return `it is ready by ${kinds.join(" and by ")}: only one is possible`;
  if (kinds.length > 0 && type !== "simple") return `"ready" is for type "simple", not "${type}"`;
  return undefined;
}

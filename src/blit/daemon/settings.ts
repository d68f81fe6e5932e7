import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { loadConfig } from "../../kit/config/load.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { type DaemonConfig, daemonConfigSchema } from "./daemon-config.ts";
import { type HostRules, parseHostRules } from "./host-rules.ts";
import type { ModuleSettings } from "./modules.ts";
import { findUser } from "./users.ts";

/** Where the config lies if nothing else is said. */
export const DEFAULT_CONFIG_PATH = "/etc/blit/config.toml";

/** What the command line of blitd says; undefined = not given. */
export type DaemonFlags = {
  readonly config?: string | undefined;
  readonly bind?: string | undefined;
  readonly port?: number | undefined;
  readonly root?: string | undefined;
  readonly noMdns?: boolean | undefined;
  readonly mdnsName?: string | undefined;
};

/** Everything that a daemon runs by. */
export type DaemonSettings = {
  readonly bind: string;
  readonly port: number;
  readonly dataPort: number;
  readonly motd: string;
  readonly mdnsName: string | undefined;
  readonly isAdvertised: boolean;
  readonly tls: DaemonConfig["daemon"]["tls"];
  readonly tokenFile: string | undefined;
  readonly hosts: HostRules;
  readonly connectionsMax: number;
  readonly drainMs: number;
  readonly delegation: { readonly enabled: boolean; readonly hosts: HostRules };
  readonly modules: readonly ModuleSettings[];
  /** The working folder is offered, because nothing else is. */
  readonly hasImplicitRoot: boolean;
};

/**
 * The settings: defaults < config file < flags.
 *
 * @throws {Fault} E_CONFIG; E_NOT_FOUND where the file that `--config` names is not there
 */
export async function loadDaemonSettings(flags: DaemonFlags): Promise<DaemonSettings> {
  const path = flags.config ?? DEFAULT_CONFIG_PATH;
  if (flags.config !== undefined && !existsSync(path)) {
    throw new Fault({ code: "E_NOT_FOUND", message: `Cannot read "${path}": no such file` });
  }
  const daemon = {
    bind: flags.bind,
    port: flags.port,
    root: flags.root === undefined ? undefined : resolve(flags.root),
    no_mdns: flags.noMdns,
    mdns_name: flags.mdnsName,
  };
  const { values } = await loadConfig({
    schema: daemonConfigSchema,
    files: [{ name: "system", path }],
    layers: [{ name: "flags", values: { daemon }, originOf: (key) => `--${key.at(-1)}` }],
  });
  return settingsOf(values, path);
}

function settingsOf({ daemon, module }: DaemonConfig, path: string): DaemonSettings {
  const named = module.map((one) => moduleSettings(one, path));
  const names = new Set<string>();
  for (const { name } of named) {
    if (names.has(name)) throw problem(path, `the module "${name}" is there twice`);
    names.add(name);
  }
  const hasImplicitRoot = daemon.root === undefined && named.length === 0;
  const root = daemon.root ?? (hasImplicitRoot ? process.cwd() : undefined);
  const { certificate, key } = daemon.tls;
  if ((certificate === undefined) !== (key === undefined)) {
    throw problem(path, '"daemon.tls" needs both "certificate" and "key", or neither');
  }
  return {
    bind: daemon.bind,
    port: daemon.port,
    dataPort: daemon.data_port,
    motd: daemon.motd,
    mdnsName: daemon.mdns_name,
    isAdvertised: !daemon.no_mdns,
    tls: daemon.tls,
    tokenFile: daemon.token_file,
    hosts: hostRules(daemon, path),
    connectionsMax: daemon.connections_max,
    drainMs: daemon.drain_seconds * 1000,
    delegation: {
      enabled: daemon.delegation.enabled,
      hosts: hostRules({ hosts_allow: daemon.delegation.hosts, hosts_deny: [] }, path),
    },
    modules: root === undefined ? named : [defaultExport(root, daemon), ...named],
    hasImplicitRoot,
  };
}

/** `server://`: a module without name. */
function defaultExport(root: string, daemon: DaemonConfig["daemon"]): ModuleSettings {
  return {
    name: "",
    path: root,
    comment: "",
    readOnly: daemon.root_read_only,
    useChroot: false,
    runAs: undefined,
    users: undefined,
    hosts: { allow: undefined, deny: [] },
    connectionsMax: daemon.connections_max,
  };
}

function moduleSettings(module: DaemonConfig["module"][number], path: string): ModuleSettings {
  return {
    name: module.name,
    path: module.path,
    comment: module.comment,
    readOnly: module.read_only,
    useChroot: module.use_chroot,
    runAs: module.run_as === undefined ? undefined : userOf(module.run_as, path),
    users: module.users,
    hosts: hostRules(module, path),
    connectionsMax: module.connections_max,
  };
}

function userOf(text: string, path: string): { uid: number; gid: number } {
  const user = findUser(text);
  if (user === undefined) throw problem(path, `there is no user "${text}"`);
  return user;
}

function hostRules(
  lists: { hosts_allow?: readonly string[] | undefined; hosts_deny: readonly string[] },
  path: string,
): HostRules {
  const rules = parseHostRules(lists.hosts_allow, lists.hosts_deny);
  if (typeof rules === "string") throw problem(path, `"${rules}" is no address, network or name`);
  return rules;
}

function problem(path: string, what: string): Fault {
  return new Fault({ code: "E_CONFIG", message: `Cannot use "${path}": ${what}` });
}

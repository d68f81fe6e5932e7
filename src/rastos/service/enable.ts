import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import { SERVICE_NAME } from "./schema.ts";

/** Where links say what starts with the system, from the root. */
export const ENABLED_FOLDER = "etc/rinit/enabled";

const FOLDERS = ["etc/rinit", "usr/lib/rinit"] as const;

/** A link that is made or removed. */
export interface LinkChange {
  readonly service: string;
  /** From the root. */
  readonly path: string;
  readonly action: "enable" | "disable" | "none";
}

/**
 * Enables services in a root folder, or disables them: a symbolic link each. Nothing outside of the
 * folder is touched, whatever links it holds.
 *
 * @throws {Fault} E_NOT_FOUND for a service to enable that no file defines; E_PRIVILEGE, E_IO
 */
export function changeLinks(options: {
  readonly root: string;
  readonly services: readonly string[];
  readonly action: "enable" | "disable";
  readonly isDry?: boolean;
}): LinkChange[] {
  using root = RootFolder.open(options.root);
  const plan = options.services.map((service) => planChange(root, service, options.action));
  if (options.isDry === true) return plan.map(({ change }) => change);
  for (const { change, target } of plan) {
    if (change.action === "disable") root.remove(change.path);
    if (change.action !== "enable") continue;
    root.makeFolder(ENABLED_FOLDER);
    root.writeLink(change.path, target);
  }
  return plan.map(({ change }) => change);
}

function planChange(
  root: RootFolder,
  service: string,
  action: "enable" | "disable",
): { change: LinkChange; target: string } {
  if (!SERVICE_NAME.test(service)) throw unknownService(service, root);
  const path = `${ENABLED_FOLDER}/${service}.toml`;
  const old = root.readLink(path);
  const isThere = root.status(path) !== undefined;
  if (action === "disable") {
    return { change: { service, path, action: isThere ? "disable" : "none" }, target: "" };
  }
  const file = findFile(root, service);
  if (file === undefined) throw unknownService(service, root);
  const target = `/${file}`;
  return { change: { service, path, action: old === target ? "none" : "enable" }, target };
}

function findFile(root: RootFolder, service: string): string | undefined {
  const at = service.indexOf("@");
  const names = at < 0 ? [service] : [service, service.slice(0, at + 1)];
  return names
    .flatMap((name) => FOLDERS.map((folder) => `${folder}/${name}.toml`))
    .find((path) => root.status(path, { follow: true })?.kind === "file");
}

function unknownService(service: string, root: RootFolder): Fault {
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot enable "${service}": no file defines it in "${root.path}"`,
    hint: `services are files such as /${FOLDERS[0]}/NAME.toml; see rastos service list`,
  });
}

/** Names of the services that are enabled in a root folder. */
export function enabledServices(rootFolder: string): string[] {
  try {
    using root = RootFolder.open(rootFolder);
    return root
      .names(ENABLED_FOLDER)
      .flatMap((file) => /^(.+)\.toml$/.exec(file)?.[1] ?? [])
      .filter((name) => SERVICE_NAME.test(name));
  } catch {
    return [];
  }
}

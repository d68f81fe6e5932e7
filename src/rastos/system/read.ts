import { basename } from "node:path";
import { loadConfig } from "../../kit/config/load.ts";
import { parseToml, readTomlFile, type TomlFile, tomlOrigin } from "../../kit/config/toml.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { configOfList } from "./package-list.ts";
import { packageListSchema, systemSchema } from "./schema.ts";
import type { SystemConfig, SystemFile } from "./types.ts";

/**
 * Reads a system.toml, or the original's package list.
 *
 * @throws {Fault} E_NOT_FOUND; E_CONFIG with file and line of everything that is wrong
 */
export async function readSystemFile(path: string): Promise<SystemFile> {
  const read = await readTomlFile(path);
  if (read === undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot read "${path}": no such file`,
      hint: 'a system.toml of one line is a beginning: [packages], official = ["vim"]',
    });
  }
  return await checked(path, read);
}

/** The same of a text, such as the one that a snapshot was made from. */
export async function parseSystemText(path: string, text: string): Promise<SystemFile> {
  return await checked(path, await parseToml(path, text));
}

async function checked(path: string, read: TomlFile): Promise<SystemFile> {
  const isList = Array.isArray(read.values["packages"]);
  const files = [{ name: "project", path, read }] as const;
  if (isList) {
    const loaded = await loadConfig({ schema: packageListSchema, files });
    const { config, notes } = configOfList(loaded.values, systemSchema.parse({}));
    return { path, text: read.text, config, notes, form: "list" };
  }
  const { values } = await loadConfig({ schema: systemSchema, files });
  refuseContradictions(values, (place) => tomlOrigin(read, place));
  return { path, text: read.text, config: values, notes: notesOf(values, path), form: "system" };
}

type Origin = (path: readonly (string | number)[]) => string;

/** What is right key by key and cannot be all at once. */
function refuseContradictions(config: SystemConfig, originOf: Origin): void {
  const refuse = (path: readonly (string | number)[], message: string): never => {
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot use "${originOf(path)}": ${message}`,
      details: { key: path.join(".") },
    });
  };
  const twice = (list: readonly string[]): number =>
    list.findIndex((name, index) => list.indexOf(name) < index);
  const users = config.users.map((user) => user.name);
  const user = twice(users);
  if (user >= 0) refuse(["users", user, "name"], `there are two users "${users[user]}"`);
  for (const [index, { uid, name }] of config.users.entries()) {
    const first = config.users.findIndex((other) => other.uid !== undefined && other.uid === uid);
    if (first >= 0 && first < index) {
      refuse(["users", index, "uid"], `"${users[first]}" and "${name}" have the same uid ${uid}`);
    }
    if (name === "root" ? (uid ?? 0) !== 0 : uid === 0) {
      refuse(["users", index, "uid"], "uid 0 is root's, and root's is 0");
    }
  }
  const repositories = config.repositories.map((one) => one.name);
  const repository = twice(repositories);
  if (repository >= 0) {
    const name = repositories[repository];
    refuse(["repositories", repository, "name"], `there are two repositories "${name}"`);
  }
  const both = config.services.disable.findIndex((name) => config.services.enable.includes(name));
  if (both >= 0) {
    const name = config.services.disable[both];
    refuse(["services", "disable", both], `"${name}" is to be enabled and disabled`);
  }
  if (config.kernel.package !== undefined && config.kernel.profile !== undefined) {
    refuse(["kernel", "profile"], "a kernel is a package or built by a profile, not both");
  }
}

function notesOf(config: SystemConfig, path: string): string[] {
  const { ignored, official, aur } = config.packages;
  return [...official, ...aur]
    .filter((name) => ignored.includes(name))
    .map((name) => `"${name}" is declared and ignored in ${basename(path)}: it is left alone`);
}

import { readFileSync } from "node:fs";
import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import { type ListedAccount, listAccounts } from "./accounts.ts";
import { readAccountTexts } from "./configuration.ts";
import { configureRoot } from "./configure.ts";
import { HomeFolders } from "./home-folders.ts";
import { passwordHashSchema, sshKeySchema, systemSchema, userSchema } from "./schema.ts";
import type { ConfigurationReport, SystemConfig, UserConfig } from "./types.ts";

/** A change of one account. */
export type UserChange =
  | { readonly kind: "add"; readonly user: Readonly<Record<string, unknown>> }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "add keys"; readonly name: string; readonly keys: readonly string[] }
  /** Keys that hold one of these texts: a key as a whole, or its comment. */
  | { readonly kind: "remove keys"; readonly name: string; readonly keys: readonly string[] };

/** Where accounts are changed. */
export interface UserPlace {
  /** A root folder, with etc in it. */
  readonly root: string;
  /** Home folders that lie elsewhere: `/home` → a folder. */
  readonly shared: ReadonlyMap<string, string>;
  readonly isDryRun: boolean;
}

/**
 * Changes an account in a root folder.
 *
 * @throws {Fault} E_REFUSED for one that is there already, or belongs to the system; E_NOT_FOUND;
 *   E_USAGE for a wrong value; E_LOCKED
 */
export async function changeUser(
  place: UserPlace,
  change: UserChange,
): Promise<ConfigurationReport> {
  const nothing = systemSchema.parse({});
  const [before, after] = declarations(place, change);
  const config = (users: readonly UserConfig[]): SystemConfig => ({
    ...nothing,
    users: [...users],
  });
  return await configureRoot(place.root, config(after), {
    previous: config(before),
    isDryRun: place.isDryRun,
    sharedFolders: place.shared,
  });
}

/** What counts as declared before and after: nothing else is touched then. */
function declarations(
  place: UserPlace,
  change: UserChange,
): readonly [readonly UserConfig[], readonly UserConfig[]] {
  using root = RootFolder.open(place.root);
  const accounts = listAccounts(readAccountTexts(root));
  const name = change.kind === "add" ? String(change.user["name"]) : change.name;
  const account = accounts.find((one) => one.name === name);
  if (change.kind === "add") {
    if (account !== undefined) throw thereAlready(name);
    return [[], [userOf(change.user)]];
  }
  if (account === undefined) throw noSuchUser(name, accounts);
  // Whatever they are called: what is there need not be what a declaration may hold.
  const asIs = { ...userSchema.parse({ name: "root" }), name, groups: [...account.groups] };
  if (change.kind === "remove") {
    if (account.uid < 1000) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot remove "${name}": it is an account of the system (uid ${account.uid})`,
      });
    }
    return [[asIs], []];
  }
  const keys = readKeys(root, place.shared, account.home);
  const changed =
    change.kind === "add keys"
      ? [...new Set([...keys, ...change.keys.map(keyOf)])]
      : without(keys, change.keys, name);
  return [[], [{ ...asIs, ssh_keys: changed }]];
}

/** The lines of a user's authorized_keys that are keys. */
export function readKeys(
  root: RootFolder,
  shared: ReadonlyMap<string, string>,
  home: string,
): string[] {
  using homes = new HomeFolders(root, shared);
  const text = homes.inside(home)?.readText(".ssh/authorized_keys") ?? "";
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

function without(keys: readonly string[], doomed: readonly string[], name: string): string[] {
  for (const text of doomed) {
    if (keys.some((key) => matches(key, text))) continue;
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot remove the key "${text}" of "${name}": there is none such`,
      hint: "rastos users keys list shows them",
    });
  }
  return keys.filter((key) => !doomed.some((text) => matches(key, text)));
}

function matches(key: string, text: string): boolean {
  return key === text || key.endsWith(` ${text}`) || key.split(/\s+/).includes(text);
}

function userOf(given: Readonly<Record<string, unknown>>): UserConfig {
  const result = userSchema.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const key = String(issue?.path[0] ?? "");
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot add the user: ${key} ${issue?.message ?? "is wrong"}`,
  });
}

/** A key that was given: the line itself, or a file with one. @throws {Fault} */
export function keyOf(given: string): string {
  const text = given.includes(" ") ? given : readSmallFile(given);
  const key = text.trim();
  if (sshKeySchema.safeParse(key).success) return key;
  throw new Fault({
    code: "E_USAGE",
    message: given.includes(" ")
      ? "Cannot take the key: it is no public key"
      : `Cannot take a key from "${given}": it holds no public key`,
    hint: 'a public key is a line such as "ssh-ed25519 AAAA… name", as in ~/.ssh/id_ed25519.pub',
  });
}

/** A hash of a password from a file; "-" is the standard input. @throws {Fault} */
export function passwordHashFrom(path: string): string {
  const hash = readSmallFile(path === "-" ? "/dev/stdin" : path).trim();
  if (passwordHashSchema.safeParse(hash).success) return hash;
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot take a password from "${path}": it holds no hash of one`,
    hint: "openssl passwd -6 makes one",
  });
}

function readSmallFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Fault({ code: "E_NOT_FOUND", message: `Cannot read "${path}"`, cause: error });
  }
}

function thereAlready(name: string): Fault {
  return new Fault({
    code: "E_REFUSED",
    message: `Cannot add the user "${name}": it is there already`,
    hint: "a system.toml changes accounts; `rastos users keys add` adds keys",
  });
}

/** There is no such account, and who there is. */
export function noSuchUser(name: string, accounts: readonly ListedAccount[]): Fault {
  const people = accounts.filter(({ uid }) => uid === 0 || uid >= 1000).map((one) => one.name);
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot find the user "${name}"`,
    hint: `there ${people.length === 1 ? "is" : "are"} ${people.slice(0, 20).join(", ")}`,
  });
}

import { AccountTable, membersOf } from "./account-table.ts";
import type { UserConfig } from "./types.ts";

/** The files of accounts, as latin1 text; undefined where one is absent. */
export interface AccountTexts {
  readonly passwd: string | undefined;
  readonly shadow: string | undefined;
  readonly group: string | undefined;
  readonly gshadow: string | undefined;
}

/** Ranges of login.defs(5). */
export interface IdRanges {
  readonly uidMin: number;
  readonly uidMax: number;
  readonly systemMin: number;
  readonly systemMax: number;
}

/** What decides about accounts. */
export interface AccountRequest {
  readonly users: readonly UserConfig[];
  /** Names that were declared before: those that are no more go. */
  readonly previous: readonly string[];
  readonly ranges: IdRanges;
  /** Owners of the home folders that are there, by absolute path. */
  readonly homeOwners: ReadonlyMap<string, number>;
  /** The shell for those who name none. */
  readonly shell: string;
  /** Days since 1970, for the field of shadow(5) that says when a password changed. */
  readonly today: number;
}

/** One account that is to be made, changed or removed. */
export interface AccountChange {
  readonly kind: "user" | "group";
  readonly action: "create" | "change" | "remove";
  readonly name: string;
  /** What changes, in words; never a hash. */
  readonly details: readonly string[];
}

/** An account as it is or will be. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly comment: string;
  readonly home: string;
  readonly shell: string;
}

/** What is to be done about accounts. */
export interface AccountPlan {
  readonly changes: readonly AccountChange[];
  readonly notes: readonly string[];
  /** Sentences: why a declaration cannot be followed. */
  readonly problems: readonly string[];
  /** The new texts of the files that change. */
  readonly texts: Partial<AccountTexts>;
  /** Every declared user that can be. */
  readonly accounts: readonly Account[];
}

/** An account with groups and lock, for lists. */
export interface ListedAccount extends Account {
  readonly groups: readonly string[];
  readonly password: "set" | "none" | "locked" | "empty";
}

/**
 * What it takes to have these accounts: no account gets another number than it has, and none gets
 * one that a home folder of somebody else has. Pure.
 */
export function planAccounts(texts: AccountTexts, request: AccountRequest): AccountPlan {
  return new Planner(texts, request).run();
}

/** Accounts of people and root: those below the range for people belong to packages. */
export function listAccounts(texts: AccountTexts): ListedAccount[] {
  const shadow = new AccountTable(texts.shadow);
  const groups = new AccountTable(texts.group).rows();
  return new AccountTable(texts.passwd).rows().flatMap((fields) => {
    const account = accountOf(fields);
    if (account === undefined) return [];
    const { name, gid } = account;
    const primary = groups.find((row) => row[2] === String(gid))?.[0];
    const further = groups.filter((row) => membersOf(row[3]).includes(name)).map((row) => row[0]);
    const all = [primary, ...further].filter((one) => one !== undefined);
    const hash = shadow.find(name)?.[1] ?? fields[1] ?? "";
    return [{ ...account, groups: [...new Set(all)], password: passwordState(hash) }];
  });
}

function passwordState(hash: string): ListedAccount["password"] {
  if (hash === "") return "empty";
  if (hash.startsWith("!")) return "locked";
  return hash.startsWith("$") ? "set" : "none";
}

function accountOf(fields: readonly string[]): Account | undefined {
  const [name = "", , uid = "", gid = "", comment = "", home = "", shell = ""] = fields;
  if (!/^\d+$/.test(uid) || !/^\d+$/.test(gid)) return undefined;
  return { name, uid: Number(uid), gid: Number(gid), comment: textOf(comment), home, shell };
}

/** No password fits; unlike "!" it is no lock, which sshd without PAM takes for keys as well. */
const NO_PASSWORD = "*";

class Planner {
  readonly #request: AccountRequest;
  readonly #passwd: AccountTable;
  readonly #shadow: AccountTable;
  readonly #group: AccountTable;
  readonly #gshadow: AccountTable | undefined;
  readonly #changes: AccountChange[] = [];
  readonly #notes: string[] = [];
  readonly #problems: string[] = [];

  constructor(texts: AccountTexts, request: AccountRequest) {
    this.#request = request;
    // A root without any accounts would not let even root in.
    this.#passwd = new AccountTable(texts.passwd ?? `root:x:0:0::/root:${request.shell}\n`);
    this.#group = new AccountTable(texts.group ?? "root:x:0:\n");
    this.#shadow = new AccountTable(texts.shadow);
    this.#gshadow = texts.gshadow === undefined ? undefined : new AccountTable(texts.gshadow);
  }

  run(): AccountPlan {
    const { users, previous } = this.#request;
    for (const name of previous) {
      if (!users.some((user) => user.name === name)) this.#remove(name);
    }
    // Who asks for a number gets it before those who take what is left.
    const asking = users.filter((user) => user.uid !== undefined);
    const others = users.filter((user) => user.uid === undefined);
    for (const user of [...asking, ...others]) this.#bring(user);
    const accounts = users.flatMap(({ name }) => {
      const account = this.#account(name);
      return account === undefined ? [] : [account];
    });
    return {
      changes: this.#changes,
      notes: this.#notes,
      problems: this.#problems,
      texts: this.#texts(),
      accounts,
    };
  }

  #texts(): Partial<AccountTexts> {
    const tables = {
      passwd: this.#passwd,
      shadow: this.#shadow,
      group: this.#group,
      gshadow: this.#gshadow,
    };
    const changed = Object.entries(tables).filter(([, table]) => table?.isChanged === true);
    return Object.fromEntries(changed.map(([name, table]) => [name, table?.text]));
  }

  #account(name: string): Account | undefined {
    const fields = this.#passwd.find(name);
    return fields === undefined ? undefined : accountOf(fields);
  }

  #bring(user: UserConfig): void {
    const old = this.#account(user.name);
    if (old === undefined) this.#create(user);
    else this.#change(user, old);
  }

  #create(user: UserConfig): void {
    const { name } = user;
    const home = user.home ?? `/home/${name}`;
    const uid = user.uid ?? this.#freeUid(home);
    const owner = this.#passwd.rows().find((row) => row[2] === String(uid));
    if (owner !== undefined) {
      this.#problems.push(`"${name}" cannot have the uid ${uid}: it is "${owner[0]}"'s`);
      return;
    }
    const gid = this.#primaryGroup(name, uid);
    const shell = user.shell ?? this.#request.shell;
    const comment = bytesOf(user.comment ?? "");
    this.#passwd.set(name, [name, "x", String(uid), String(gid), comment, home, shell]);
    // No days: an empty field switches ageing off, and the bytes do not depend on the date.
    const hash = user.password_hash ?? NO_PASSWORD;
    this.#shadow.set(name, [name, hash, "", "", "", "", "", "", ""]);
    const details = [`uid ${uid}`, `home ${home}`, `shell ${shell}`];
    const joined = this.#groups(user, gid);
    if (joined.length > 0) details.push(...joined);
    if (user.password_hash === undefined) details.push("no password");
    this.#changes.push({ kind: "user", action: "create", name, details });
  }

  #change(user: UserConfig, old: Account): void {
    const { name } = user;
    if (user.uid !== undefined && user.uid !== old.uid) {
      this.#problems.push(
        `"${name}" has the uid ${old.uid} and cannot get ${user.uid}: its files would be another's`,
      );
    }
    const details: string[] = [];
    const fields = [...(this.#passwd.find(name) ?? [])];
    const set = (index: number, label: string, value: string | undefined): void => {
      if (value === undefined || fields[index] === bytesOf(value)) return;
      details.push(`${label} ${value === "" ? "none" : value}`);
      fields[index] = bytesOf(value);
    };
    set(4, "comment", user.comment);
    set(5, "home", user.home);
    set(6, "shell", user.shell);
    details.push(...this.#groups(user, old.gid));
    details.push(...this.#password(user, fields));
    if (details.length === 0) return;
    this.#passwd.set(name, fields);
    this.#changes.push({ kind: "user", action: "change", name, details });
  }

  #password(user: UserConfig, passwd: string[]): string[] {
    const { name, password_hash: hash } = user;
    if (hash === undefined) return [];
    const old = this.#shadow.find(name);
    if (old?.[1] === hash && passwd[1] === "x") return [];
    passwd[1] = "x";
    const fields = old ?? [name, "", "", "", "", "", "", "", ""];
    fields[1] = hash;
    // Where passwords age, this one is as old as today.
    if ((fields[2] ?? "") !== "") fields[2] = String(this.#request.today);
    this.#shadow.set(name, fields);
    return [hash.startsWith("$") ? "a new password" : "the password locked"];
  }

  /** Has the user in exactly the groups that are declared; root's further ones stay. */
  #groups(user: UserConfig, gid: number): string[] {
    const { name } = user;
    const details: string[] = [];
    for (const group of user.groups) {
      const fields = this.#group.find(group) ?? this.#newGroup(group);
      if (fields[2] === String(gid) || membersOf(fields[3]).includes(name)) continue;
      this.#setMembers(group, [...membersOf(fields[3]), name]);
      details.push(`into the group ${group}`);
    }
    if (name === "root") return details;
    for (const [group = "", , , members] of this.#group.rows()) {
      if (user.groups.includes(group) || !membersOf(members).includes(name)) continue;
      this.#setMembers(
        group,
        membersOf(members).filter((one) => one !== name),
      );
      details.push(`out of the group ${group}`);
    }
    return details;
  }

  #setMembers(group: string, members: readonly string[]): void {
    const fields = this.#group.find(group);
    if (fields === undefined) return;
    this.#group.set(group, [...fields.slice(0, 3), members.join(",")]);
    const secret = this.#gshadow?.find(group);
    if (secret !== undefined) {
      this.#gshadow?.set(group, [...secret.slice(0, 3), members.join(",")]);
    }
  }

  #newGroup(name: string): string[] {
    const { systemMin, systemMax } = this.#request.ranges;
    const gid = this.#freeGid(systemMax, systemMin);
    this.#changes.push({ kind: "group", action: "create", name, details: [`gid ${gid}`] });
    return this.#addGroup(name, gid);
  }

  #addGroup(name: string, gid: number): string[] {
    const fields = [name, "x", String(gid), ""];
    this.#group.set(name, fields);
    this.#gshadow?.set(name, [name, "!", "", ""]);
    return fields;
  }

  /** A group of the user's own, with his number where that is free. */
  #primaryGroup(name: string, uid: number): number {
    const old = this.#group.find(name)?.[2];
    if (old !== undefined && /^\d+$/.test(old)) return Number(old);
    const taken = this.#takenGids();
    const { uidMin, uidMax } = this.#request.ranges;
    const gid = taken.has(uid) ? this.#freeGid(uidMin, uidMax) : uid;
    this.#addGroup(name, gid);
    return gid;
  }

  #takenGids(): Set<number> {
    return new Set(this.#group.rows().map((row) => Number(row[2])));
  }

  #freeGid(from: number, to: number): number {
    const taken = this.#takenGids();
    const step = from <= to ? 1 : -1;
    for (let gid = from; gid !== to + step; gid += step) if (!taken.has(gid)) return gid;
    throw new Error(`No group number is free between ${from} and ${to}`);
  }

  /** His former number, if his home is still there; else the first that nobody has. */
  #freeUid(home: string): number {
    const { uidMin, uidMax } = this.#request.ranges;
    const { homeOwners, users } = this.#request;
    const taken = new Set(this.#passwd.rows().map((row) => Number(row[2])));
    for (const { uid } of users) if (uid !== undefined) taken.add(uid);
    const former = homeOwners.get(home);
    if (former !== undefined && former >= uidMin && former <= uidMax && !taken.has(former)) {
      return former;
    }
    for (const uid of homeOwners.values()) taken.add(uid);
    for (let uid = uidMin; uid <= uidMax; uid++) if (!taken.has(uid)) return uid;
    throw new Error(`No user number is free between ${uidMin} and ${uidMax}`);
  }

  #remove(name: string): void {
    const account = this.#account(name);
    if (account === undefined) return;
    if (account.uid < this.#request.ranges.uidMin) {
      this.#notes.push(`"${name}" is declared no more; an account of the system, it stays`);
      return;
    }
    this.#passwd.remove(name);
    this.#shadow.remove(name);
    for (const [group = "", , , members] of this.#group.rows()) {
      if (!membersOf(members).includes(name)) continue;
      this.#setMembers(
        group,
        membersOf(members).filter((one) => one !== name),
      );
    }
    this.#removeOwnGroup(name, account.gid);
    const details = [`its home ${account.home} stays`];
    this.#changes.push({ kind: "user", action: "remove", name, details });
  }

  #removeOwnGroup(name: string, gid: number): void {
    const own = this.#group.find(name);
    const isOthers = this.#passwd.rows().some((row) => row[3] === String(gid));
    if (own?.[2] !== String(gid) || isOthers || membersOf(own[3]).length > 0) return;
    this.#group.remove(name);
    this.#gshadow?.remove(name);
  }
}

/** UTF-8 as the latin1 text of its bytes. */
function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function textOf(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}

/** Ranges from the text of login.defs(5). */
export function idRangesOf(text: string | undefined): IdRanges {
  const number = (key: string, usual: number): number => {
    const found = new RegExp(`^\\s*${key}\\s+(\\d+)`, "m").exec(text ?? "")?.[1];
    return found === undefined ? usual : Number(found);
  };
  return {
    uidMin: number("UID_MIN", 1000),
    uidMax: number("UID_MAX", 60_000),
    systemMin: number("SYS_GID_MIN", 500),
    systemMax: number("SYS_GID_MAX", 999),
  };
}

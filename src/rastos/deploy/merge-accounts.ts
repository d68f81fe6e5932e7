/** Three-way merge of passwd(5), group(5), shadow(5) and gshadow(5), by record. Pure. */
import { AccountTable, membersOf } from "../system/account-table.ts";
import type { AccountTexts } from "../system/accounts.ts";

/** The files of accounts of three systems, as latin1 text. */
export interface AccountVersions {
  /** What both others began from. */
  readonly base: AccountTexts;
  /** As somebody has left them. */
  readonly mine: AccountTexts;
  /** As a new snapshot has them. */
  readonly next: AccountTexts;
}

/** What a merge has come to. */
export interface AccountMerge {
  /** The merged files; undefined where there is none. */
  readonly texts: AccountTexts;
  /** Sentences: where both have changed the same, and which of them counts. */
  readonly notes: readonly string[];
  /** Sentences: two accounts or groups that would have one number. */
  readonly collisions: readonly string[];
  /** Numbers that an account or group of mine has lost to the new ones. */
  readonly uids: ReadonlyMap<number, number>;
  readonly gids: ReadonlyMap<number, number>;
}

type FileName = keyof AccountTexts;

/** How the fields of a file are merged. */
interface Shape {
  /** Numbers: files of the new system have its owners. */
  readonly numbers: readonly number[];
  /** Lists between commas, merged by member. */
  readonly lists: readonly number[];
  readonly names: readonly string[];
}

const SHAPES: Readonly<Record<FileName, Shape>> = {
  passwd: {
    numbers: [2, 3],
    lists: [],
    names: ["name", "password", "uid", "gid", "comment", "home", "shell"],
  },
  shadow: { numbers: [], lists: [], names: ["name", "password"] },
  group: { numbers: [2], lists: [3], names: ["name", "password", "gid", "members"] },
  gshadow: { numbers: [], lists: [2, 3], names: ["name", "password", "admins", "members"] },
};

/** The four files, in the order in which they are told. */
export const ACCOUNT_FILES: readonly FileName[] = ["passwd", "group", "shadow", "gshadow"];

/**
 * Merges what was changed by hand into what a new snapshot has: accounts that either has added are
 * there, those that either has removed are not, and of one that both have changed each field is the
 * one that was changed. Where both changed the same field, mine counts, but for numbers.
 */
export function mergeAccounts(versions: AccountVersions): AccountMerge {
  const { base, mine, next } = versions;
  const isSame = (a: AccountTexts, b: AccountTexts): boolean =>
    ACCOUNT_FILES.every((name) => a[name] === b[name]);
  const whole = (texts: AccountTexts): AccountMerge => {
    return { texts, notes: [], collisions: [], uids: new Map(), gids: new Map() };
  };
  if (isSame(mine, base) || isSame(mine, next)) return whole(next);
  if (isSame(next, base)) return whole(mine);
  return new Merge(versions).run();
}

class Merge {
  readonly #versions: AccountVersions;
  readonly #notes: string[] = [];
  /** Accounts that one side has removed: they are in no file, and in no list of members. */
  readonly #gone: ReadonlySet<string>;
  /** Accounts that I have removed and the new snapshot has changed: they stay. */
  readonly #staying = new Set<string>();

  constructor(versions: AccountVersions) {
    this.#versions = versions;
    this.#gone = this.#removed();
  }

  run(): AccountMerge {
    const texts = Object.fromEntries(
      ACCOUNT_FILES.map((file) => [file, this.#file(file)]),
    ) as unknown as AccountTexts;
    return {
      texts,
      notes: this.#notes,
      collisions: [
        ...this.#collisions("passwd", texts.passwd),
        ...this.#collisions("group", texts.group),
      ],
      uids: this.#renumbered("passwd", texts.passwd),
      gids: this.#renumbered("group", texts.group),
    };
  }

  #removed(): Set<string> {
    const { base, mine, next } = this.#versions;
    const [before, own, other] = [base, mine, next].map((texts) => recordsOf(texts.passwd));
    const gone = new Set<string>();
    for (const name of before?.keys() ?? []) {
      const [isMine, isNext] = [own?.has(name) === true, other?.has(name) === true];
      if (isMine && isNext) continue;
      const isChanged = (["passwd", "shadow"] as const).some((file) => {
        const [a, b] = [recordsOf(base[file]).get(name), recordsOf(next[file]).get(name)];
        return a !== b;
      });
      if (!isMine && isNext && isChanged) {
        this.#staying.add(name);
        this.#notes.push(`the account ${name}, removed by hand, is there again: it was changed`);
        continue;
      }
      gone.add(name);
      const isTaken = !isNext && isMine && own?.get(name) !== before?.get(name);
      if (isTaken) this.#notes.push(`the account ${name}, changed by hand, is there no more`);
    }
    return gone;
  }

  #file(file: FileName): string | undefined {
    const { base, mine, next } = this.#versions;
    if (mine[file] === undefined && next[file] === undefined) return undefined;
    const [before, own, other] = [base[file], mine[file], next[file]].map(recordsOf);
    const table = new AccountTable(withLines(next[file] ?? "", base[file], mine[file]));
    for (const name of new Set([...(other?.keys() ?? []), ...(own?.keys() ?? [])])) {
      const of = { before: before?.get(name), own: own?.get(name), other: other?.get(name) };
      const record = this.#record(file, name, of);
      if (record === undefined) table.remove(name);
      else if (record !== of.other) table.set(name, record.split(":"));
    }
    return table.text;
  }

  #record(file: FileName, name: string, of: Versions): string | undefined {
    const { before, own, other } = of;
    const isAccount = file === "passwd" || file === "shadow";
    if (isAccount && this.#gone.has(name)) return undefined;
    if (isAccount && this.#staying.has(name)) return other ?? own;
    if (other === undefined) return before === undefined ? this.#added(file, own) : undefined;
    if (own === undefined) {
      // Removed by hand: a group that was changed meanwhile stays.
      return before === other ? undefined : other;
    }
    return this.#fields(file, name, { before, own, other });
  }

  /** A record that only I have, without members that are no more. */
  #added(file: FileName, own: string | undefined): string | undefined {
    const fields = own?.split(":");
    for (const index of SHAPES[file].lists) {
      if (fields?.[index] === undefined) continue;
      fields[index] = this.#members([], membersOf(fields[index]), []);
    }
    return fields?.join(":");
  }

  #fields(
    file: FileName,
    name: string,
    of: { readonly before: string | undefined; readonly own: string; readonly other: string },
  ): string {
    const shape = SHAPES[file];
    const [before, own, other] = [of.before?.split(":"), of.own.split(":"), of.other.split(":")];
    const fields: string[] = [];
    for (let index = 0; index < Math.max(own.length, other.length); index++) {
      const [b, m, n] = [before?.[index], own[index] ?? "", other[index] ?? ""];
      if (shape.lists.includes(index)) {
        fields.push(this.#members(membersOf(b), membersOf(m), membersOf(n)));
      } else if (m === n || m === b) fields.push(n);
      else if (n === b) fields.push(m);
      else fields.push(this.#both(file, { name, index, m, n }));
    }
    return fields.join(":");
  }

  /** Both have changed one field: the days of a shadow record say nothing to anybody. */
  #both(
    file: FileName,
    { name, index, m, n }: { name: string; index: number; m: string; n: string },
  ): string {
    const { numbers, names } = SHAPES[file];
    const isNumber = numbers.includes(index);
    const what = names[index];
    const isPassword = what === "password";
    const kind = file === "group" || file === "gshadow" ? "group" : "account";
    if (isPassword && isNoPassword(m)) return n;
    if (what !== undefined && !(isPassword && isNoPassword(n))) {
      const whose = isNumber ? "the new snapshot's counts" : "yours stays";
      this.#notes.push(`the ${what} of the ${kind} ${name} was changed by both: ${whose}`);
    }
    return isNumber ? n : m;
  }

  #members(before: readonly string[], own: readonly string[], other: readonly string[]): string {
    const added = own.filter((one) => !before.includes(one) && !other.includes(one));
    const kept = other.filter((one) => own.includes(one) || !before.includes(one));
    return [...kept, ...added].filter((one) => !this.#gone.has(one)).join(",");
  }

  /** Numbers that a name of mine shares with another name, and did not share before. */
  #collisions(file: "passwd" | "group", text: string | undefined): string[] {
    const [own, other] = [this.#versions.mine[file], this.#versions.next[file]].map(numbersOf);
    const all = numbersOf(text);
    const collisions: string[] = [];
    for (const [name, number] of all) {
      if (other?.get(name) === number) continue;
      for (const [taker, taken] of all) {
        if (taker === name || taken !== number || own?.get(taker) === own?.get(name)) continue;
        const kind = file === "passwd" ? ["account", "uid"] : ["group", "gid"];
        collisions.push(`the ${kind[0]} "${name}" has the ${kind[1]} ${number} of "${taker}"`);
      }
    }
    return collisions;
  }

  #renumbered(file: "passwd" | "group", text: string | undefined): Map<number, number> {
    const merged = numbersOf(text);
    const changed = [...numbersOf(this.#versions.mine[file])].flatMap(([name, number]) => {
      const now = merged.get(name);
      return now === undefined || now === number ? [] : [[number, now] as const];
    });
    return new Map(changed);
  }
}

interface Versions {
  readonly before: string | undefined;
  readonly own: string | undefined;
  readonly other: string | undefined;
}

/** Nothing was ever set: what a new account begins with. */
function isNoPassword(field: string): boolean {
  return /^(x|\*|!|!\*|!!)?$/.test(field);
}

/** The first record of each name: what getpwnam(3) finds. */
function recordsOf(text: string | undefined): Map<string, string> {
  const records = new Map<string, string>();
  for (const fields of new AccountTable(text).rows()) {
    const [name = ""] = fields;
    if (!records.has(name)) records.set(name, fields.join(":"));
  }
  return records;
}

function numbersOf(text: string | undefined): Map<string, number> {
  return new Map([...recordsOf(text)].map(([name, line]) => [name, Number(line.split(":")[2])]));
}

/** Comments and NIS lines that I have added are added, those that I have removed go. */
function withLines(next: string, base: string | undefined, mine: string | undefined): string {
  const [before, own, lines] = [base, mine, next].map((text) =>
    (text ?? "").split("\n").filter((line) => line !== ""),
  ) as [string[], string[], string[]];
  const isOther = (line: string): boolean => /^[#+:-]|^[^:]*$/.test(line);
  const removed = before.filter((line) => isOther(line) && !own.includes(line));
  const added = own.filter(
    (line) => isOther(line) && !before.includes(line) && !lines.includes(line),
  );
  return [...lines.filter((line) => !removed.includes(line)), ...added]
    .map((line) => `${line}\n`)
    .join("");
}

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type AccountMerge, mergeAccounts } from "../../../src/rastos/deploy/merge-accounts.ts";
import type { AccountTexts } from "../../../src/rastos/system/accounts.ts";

const BASE: AccountTexts = {
  passwd: "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n",
  group: "root:x:0:root\nwheel:x:998:ada\nada:x:1000:\n",
  shadow: "root:*:::::::\nada:$6$old$hash:::::::\n",
  gshadow: "root:::root\nwheel:!::ada\nada:!::\n",
};

type Change = (texts: Record<keyof AccountTexts, string>) => void;

/** The texts with something changed. */
function changed(...changes: Change[]): AccountTexts {
  const texts = { ...BASE } as Record<keyof AccountTexts, string>;
  for (const change of changes) change(texts);
  return texts;
}

function merge(mine: AccountTexts, next: AccountTexts): AccountMerge {
  return mergeAccounts({ base: BASE, mine, next });
}

const addUser =
  (name: string, id: number): Change =>
  (texts) => {
    texts.passwd += `${name}:x:${id}:${id}::/home/${name}:/bin/sh\n`;
    texts.group += `${name}:x:${id}:\n`;
    texts.shadow += `${name}:$6$${name}$:::::::\n`;
    texts.gshadow += `${name}:!::\n`;
  };
const removeUser =
  (name: string): Change =>
  (texts) => {
    for (const file of ["passwd", "group", "shadow", "gshadow"] as const) {
      texts[file] = texts[file].replace(new RegExp(`^${name}:.*\n`, "m"), "");
    }
    texts.group = texts.group.replace(`:${name}\n`, ":\n");
    texts.gshadow = texts.gshadow.replace(`:${name}\n`, ":\n");
  };
const password =
  (name: string, hash: string): Change =>
  (texts) => {
    texts.shadow = texts.shadow.replace(new RegExp(`^(${name}):[^:]*`, "m"), `$1:${hash}`);
  };
const shell =
  (name: string, path: string): Change =>
  (texts) => {
    texts.passwd = texts.passwd.replace(new RegExp(`^(${name}:.*:)[^:\\n]*$`, "m"), `$1${path}`);
  };

describe("accounts of both", () => {
  test("those that either has added are there, and a password set by hand stays", () => {
    const mine = changed(addUser("bob", 1001), password("ada", "$6$hand$"));
    const { texts, notes, collisions } = merge(mine, changed(addUser("carol", 1002)));
    for (const name of ["ada", "bob", "carol"]) {
      for (const file of ["passwd", "group", "shadow", "gshadow"] as const) {
        expect(texts[file]).toMatch(new RegExp(`^${name}:`, "m"));
      }
    }
    expect(texts.shadow).toContain("ada:$6$hand$:");
    expect(texts.shadow).toContain("bob:$6$bob$:");
    expect([notes, collisions]).toEqual([[], []]);
  });

  test("those that either has removed are not, and in no group either", () => {
    const withBob = changed(addUser("bob", 1001));
    const into: Change = (texts) => {
      texts.group = texts.group.replace("wheel:x:998:ada", "wheel:x:998:ada,bob");
    };
    const mine = { ...withBob, group: "" } as AccountTexts;
    const versions = {
      base: withBob,
      mine: changed(addUser("bob", 1001), into, shell("root", "/bin/zsh")),
      next: changed(removeUser("ada")),
    };
    const { texts } = mergeAccounts(versions);
    expect(mine.passwd).toContain("bob");
    expect(texts.passwd).toBe("root:x:0:0::/root:/bin/zsh\n");
    expect(texts.group).toContain("wheel:x:998:\n");
    expect(texts.shadow).toBe("root:*:::::::\n");
  });

  test("each field is the one that was changed; of both mine, and it is said", () => {
    const { texts, notes } = merge(
      changed(shell("ada", "/bin/zsh"), password("ada", "$6$mine$")),
      changed(password("ada", "$6$next$"), addUser("carol", 1002)),
    );
    expect(texts.passwd).toContain("ada:x:1000:1000::/home/ada:/bin/zsh");
    expect(texts.shadow).toContain("ada:$6$mine$:");
    expect(notes).toEqual(["the password of the account ada was changed by both: yours stays"]);
  });

  test("an account that both have added gets the new one's numbers and my password", () => {
    const mine = changed(addUser("bob", 1001));
    const next = changed(addUser("bob", 1005), password("bob", "*"));
    const { texts, uids, gids, notes } = merge(mine, next);
    expect(texts.passwd).toContain("bob:x:1005:1005:");
    expect(texts.shadow).toContain("bob:$6$bob$:");
    expect([...uids, ...gids]).toEqual([
      [1001, 1005],
      [1001, 1005],
    ]);
    expect(notes).toContain(
      "the uid of the account bob was changed by both: the new snapshot's counts",
    );
  });

  test("members are merged one by one", () => {
    const group =
      (members: string): Change =>
      (texts) => {
        texts.group = texts.group.replace("wheel:x:998:ada", `wheel:x:998:${members}`);
      };
    expect(merge(changed(group("ada,root")), changed(group("ada,http"))).texts.group).toContain(
      "wheel:x:998:ada,http,root\n",
    );
    expect(merge(changed(group("")), changed(group("ada,http"))).texts.group).toContain(
      "wheel:x:998:http\n",
    );
  });

  test("two of one number are refused, unless they were so on purpose", () => {
    const { collisions } = merge(changed(addUser("bob", 1001)), changed(addUser("eve", 1001)));
    expect(collisions).toEqual([
      'the account "bob" has the uid 1001 of "eve"',
      'the group "bob" has the gid 1001 of "eve"',
    ]);
    const toor: Change = (texts) => {
      texts.passwd += "toor:x:0:0::/root:/bin/sh\n";
    };
    expect(merge(changed(toor), changed(addUser("eve", 1001))).collisions).toEqual([]);
  });

  test("one that I have removed and the new snapshot has changed is there, in all files", () => {
    const { texts, notes } = merge(
      changed(removeUser("ada")),
      changed(password("ada", "$6$declared$")),
    );
    expect(texts.passwd).toContain("ada:x:1000");
    expect(texts.shadow).toContain("ada:$6$declared$");
    expect(notes).toHaveLength(1);
  });

  test("comments and NIS lines of mine stay, and come last", () => {
    const nis: Change = (texts) => {
      texts.passwd += "+@admins::::::\n";
    };
    const { texts } = merge(changed(nis), changed(addUser("carol", 1002)));
    expect(texts.passwd?.endsWith("+@admins::::::\n")).toBe(true);
    expect(texts.passwd).toContain("carol:");
  });
});

/** What happens to accounts, by hand or by a new snapshot; numbers never meet. */
const changes = (from: number): fc.Arbitrary<Change[]> =>
  fc.array(
    fc.oneof(
      fc.nat({ max: 3 }).map((n) => addUser(`u${from + n}`, from + n)),
      fc.constantFrom("root", "ada").map((name) => password(name, `$6$${from}$`)),
      fc.constantFrom("root", "ada").map((name) => shell(name, `/bin/${from}`)),
      fc.constant(removeUser("ada")),
    ),
    { maxLength: 4 },
  );

describe("any changes", () => {
  test("of one side alone give that side, byte for byte", () => {
    fc.assert(
      fc.property(changes(2000), (list) => {
        const texts = changed(...list);
        expect(merge(texts, BASE).texts).toEqual(texts);
        expect(merge(BASE, texts).texts).toEqual(texts);
        expect(merge(texts, texts).texts).toEqual(texts);
      }),
    );
  });

  test("of both: the four files agree, no line is lost or doubled, no password gets lost", () => {
    fc.assert(
      fc.property(changes(2000), changes(3000), (hand, snapshot) => {
        const [mine, next] = [changed(...unique(hand)), changed(...unique(snapshot))];
        const { texts } = merge(mine, next);
        const names = (text: string | undefined): string[] =>
          [...(text ?? "").matchAll(/^([^:]+):/gm)].map(([, name = ""]) => name);
        const accounts = names(texts.passwd);
        expect(new Set(accounts).size).toBe(accounts.length);
        expect(names(texts.shadow).sort()).toEqual([...accounts].sort());
        for (const name of [...names(mine.passwd), ...names(next.passwd)]) {
          const isKept = [mine, next].every((side) => names(side.passwd).includes(name));
          const isNew = !names(BASE.passwd).includes(name);
          if (isKept || isNew) expect(accounts).toContain(name);
        }
        const own = /^ada:(\$6\$2000\$):/m.exec(mine.shadow ?? "")?.[1];
        if (own !== undefined && accounts.includes("ada")) {
          expect(texts.shadow).toContain(`ada:${own}:`);
        }
        // The next deployment of the same snapshot takes all of it along again.
        expect(mergeAccounts({ base: next, mine: texts, next }).texts).toEqual(texts);
      }),
    );
  });
});

/** A name is added once. */
function unique(list: readonly Change[]): Change[] {
  const texts = new Set<string>();
  return list.filter((change) => {
    const key = changed(change).passwd ?? "";
    const isNew = key === BASE.passwd || !texts.has(key);
    texts.add(key);
    return isNew;
  });
}

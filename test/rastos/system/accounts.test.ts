import { describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import {
  type AccountRequest,
  type AccountTexts,
  idRangesOf,
  listAccounts,
  planAccounts,
} from "../../../src/rastos/system/accounts.ts";
import type { UserConfig } from "../../../src/rastos/system/types.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const BASE: AccountTexts = {
  passwd:
    "root:x:0:0::/root:/bin/bash\n# a comment\nhttp:x:33:33:http:/srv/http:/usr/bin/nologin\n",
  shadow: "root:!:19000:0:99999:7:::\nhttp:!*:19000::::::\n",
  group: "root:x:0:root\nwheel:x:998:\nhttp:x:33:\nusers:x:985:\n",
  gshadow: "root:::root\nwheel:!*::\nhttp:!*::\nusers:!*::\n",
};

function user(name: string, more: Partial<UserConfig> = {}): UserConfig {
  return {
    name,
    groups: [],
    uid: undefined,
    shell: undefined,
    home: undefined,
    comment: undefined,
    ssh_keys: undefined,
    password_hash: undefined,
    ...more,
  };
}

function request(users: readonly UserConfig[], more: Partial<AccountRequest> = {}): AccountRequest {
  return {
    users,
    previous: [],
    ranges: idRangesOf(undefined),
    homeOwners: new Map(),
    shell: "/bin/bash",
    today: 20_000,
    ...more,
  };
}

function apply(texts: AccountTexts, asked: AccountRequest): AccountTexts {
  return { ...texts, ...planAccounts(texts, asked).texts };
}

describe("a new account", () => {
  test("gets the first free number, a group of its own and no password", () => {
    const plan = planAccounts(BASE, request([user("ada", { groups: ["wheel", "docker"] })]));
    expect(plan.changes).toMatchInlineSnapshot(`
      [
        {
          "action": "create",
          "details": [
            "gid 999",
          ],
          "kind": "group",
          "name": "docker",
        },
        {
          "action": "create",
          "details": [
            "uid 1000",
            "home /home/ada",
            "shell /bin/bash",
            "into the group wheel",
            "into the group docker",
            "no password",
          ],
          "kind": "user",
          "name": "ada",
        },
      ]
    `);
    const { passwd, shadow, group, gshadow } = plan.texts;
    expect(passwd).toBe(`${BASE.passwd}ada:x:1000:1000::/home/ada:/bin/bash\n`);
    expect(shadow).toBe(`${BASE.shadow}ada:*:::::::\n`);
    expect(group).toContain("wheel:x:998:ada\n");
    expect(group).toContain("docker:x:999:ada\n");
    expect(gshadow).toContain("docker:!::ada\n");
  });

  test("never that of a home folder of somebody else; its own former one again", () => {
    const homeOwners = new Map([
      ["/home/bob", 1000],
      ["/home/eve", 1003],
    ]);
    const plan = planAccounts(BASE, request([user("ada"), user("eve")], { homeOwners }));
    expect(plan.accounts.map(({ name, uid }) => [name, uid])).toEqual([
      ["ada", 1001],
      ["eve", 1003],
    ]);
  });

  test("with a number that somebody has is told and left out", () => {
    const plan = planAccounts(BASE, request([user("ada", { uid: 33 })]));
    expect(plan.problems).toEqual([`"ada" cannot have the uid 33: it is "http"'s`]);
    expect(plan.texts).toEqual({});
  });

  test("stands before the lines of NIS, and a missing line end is put right", () => {
    const texts = { ...BASE, passwd: `${BASE.passwd}+::::::` };
    expect(apply(texts, request([user("ada")])).passwd).toBe(
      `${BASE.passwd}ada:x:1000:1000::/home/ada:/bin/bash\n+::::::\n`,
    );
  });

  test("in a root without accounts comes after root", () => {
    const none = { passwd: undefined, shadow: undefined, group: undefined, gshadow: undefined };
    expect(apply(none, request([user("ada")])).passwd).toBe(
      "root:x:0:0::/root:/bin/bash\nada:x:1000:1000::/home/ada:/bin/bash\n",
    );
  });
});

describe("an account that is there", () => {
  const before = apply(
    BASE,
    request([user("ada", { groups: ["wheel"], password_hash: "$6$a$b" })]),
  );

  test("keeps its number, and its shell where none is declared", () => {
    const plan = planAccounts(before, request([user("ada", { uid: 7, groups: ["wheel"] })]));
    expect(plan.problems[0]).toContain('"ada" has the uid 1000 and cannot get 7');
    expect(plan.texts).toEqual({});
  });

  test("is changed field by field; hashes are not told", () => {
    const wanted = user("ada", { shell: "/bin/sh", comment: "Ada Ł", password_hash: "$6$c$d" });
    const plan = planAccounts(before, request([wanted]));
    expect(plan.changes).toMatchInlineSnapshot(`
      [
        {
          "action": "change",
          "details": [
            "comment Ada Ł",
            "shell /bin/sh",
            "out of the group wheel",
            "a new password",
          ],
          "kind": "user",
          "name": "ada",
        },
      ]
    `);
    expect(JSON.stringify(plan.changes)).not.toContain("$6$");
    const listed = listAccounts({ ...before, ...plan.texts }).find(({ name }) => name === "ada");
    expect(listed).toEqual({
      name: "ada",
      uid: 1000,
      gid: 1000,
      comment: "Ada Ł",
      home: "/home/ada",
      shell: "/bin/sh",
      groups: ["ada"],
      password: "set",
    });
  });

  test("goes when it was declared and is no more, its own group too", () => {
    const plan = planAccounts(before, request([], { previous: ["ada", "http", "gone"] }));
    expect({ ...before, ...plan.texts }).toEqual(BASE);
    expect(plan.notes).toEqual(['"http" is declared no more; an account of the system, it stays']);
  });

  test("root keeps its groups, and the day of a new password is noted where passwords age", () => {
    const plan = planAccounts(BASE, request([user("root", { password_hash: "$6$x$y" })]));
    expect(plan.texts.shadow).toContain("root:$6$x$y:20000:0:99999:7:::\n");
    expect(plan.texts.group).toBeUndefined();
  });
});

const name = fc.stringMatching(/^[a-e][a-e]?$/);
const users = fc
  .uniqueArray(
    fc.record({
      name,
      groups: fc.uniqueArray(fc.constantFrom("wheel", "users", "docker", "a", "b")),
      uid: fc.option(fc.integer({ min: 1000, max: 1004 }), { nil: undefined }),
      shell: fc.option(fc.constantFrom("/bin/sh", "/bin/zsh"), { nil: undefined }),
      comment: fc.option(fc.constantFrom("", "Ä b"), { nil: undefined }),
      password_hash: fc.option(fc.constantFrom("$6$a$b", "!"), { nil: undefined }),
    }),
    { selector: (one) => one.name, maxLength: 5 },
  )
  .map((list) => list.map((one) => user(one.name, one)));

describe("whatever is declared, one declaration after the other", () => {
  test("a second time changes nothing, others stay, and no number is had twice", () => {
    fc.assert(
      fc.property(fc.array(users, { minLength: 1, maxLength: 4 }), (declarations) => {
        let texts = BASE;
        let previous: string[] = [];
        const numbers = new Map<string, number>();
        for (const declared of declarations) {
          const asked = request(declared, { previous });
          texts = apply(texts, asked);
          const again = planAccounts(texts, { ...asked, previous: declared.map((u) => u.name) });
          expect(again.changes).toEqual([]);
          expect(again.texts).toEqual({});
          const listed = listAccounts(texts);
          const uids = listed.map(({ uid }) => uid);
          expect(new Set(uids).size).toBe(uids.length);
          const names = (texts.group ?? "").split("\n").map((line) => line.split(":")[0]);
          expect(new Set(names).size).toBe(names.length);
          expect(listed.find((one) => one.name === "http")?.uid).toBe(33);
          for (const one of listed) {
            if (previous.includes(one.name) && declared.some((u) => u.name === one.name)) {
              expect(one.uid).toBe(numbers.get(one.name) ?? one.uid);
            }
          }
          numbers.clear();
          for (const one of listed) numbers.set(one.name, one.uid);
          previous = declared.map((u) => u.name);
        }
        const end = planAccounts(texts, request([], { previous }));
        const left = listAccounts({ ...texts, ...end.texts }).map((one) => one.name);
        expect(left).toEqual(["root", "http"]);
      }),
      { numRuns: 300 },
    );
  });
});

function rootWith(texts: AccountTexts): Workspace {
  const work = createWorkspace();
  mkdirSync(work.at("etc"));
  for (const [file, text] of Object.entries(texts)) {
    if (text !== undefined) work.write(`etc/${file}`, Buffer.from(text, "latin1"), { mode: 0o600 });
  }
  return work;
}

const reason = firstReason(needsRoot(), needsProgram("pwck", "grpck", "useradd"));

describe("beside shadow-utils", () => {
  testUnless(reason)("pwck and grpck find nothing wrong", () => {
    const declared = [
      user("ada", { groups: ["wheel", "docker"], comment: "Ada", password_hash: "$6$salt$hash" }),
      user("bob", { uid: 1500, shell: "/bin/sh" }),
    ];
    const texts = apply(BASE, request(declared));
    using work = rootWith({ ...texts, passwd: texts.passwd?.replace("# a comment\n", "") });
    for (const folder of ["home/ada", "home/bob", "root", "srv/http", "bin", "usr/bin"]) {
      mkdirSync(work.at(folder), { recursive: true });
    }
    for (const shell of ["bin/bash", "bin/sh", "usr/bin/nologin"])
      cpSync("/bin/true", work.at(shell));
    for (const tool of ["pwck", "grpck"]) {
      const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
      const result = Bun.spawnSync([tool, "-r", "-R", work.path], { env: { PATH: path } });
      expect(`${result.stdout}${result.stderr}`).not.toMatch(
        /invalid|duplicate|no matching|does not/,
      );
      expect(result.exitCode).toBe(0);
    }
  });

  testUnless(reason)("useradd makes the same accounts, groups and numbers", () => {
    using work = rootWith({ ...BASE, passwd: BASE.passwd?.replace("# a comment\n", "") });
    work.write("etc/login.defs", "UID_MIN 1000\nUID_MAX 60000\nUSERGROUPS_ENAB yes\n");
    const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
    const add = ["useradd", "-P", work.path, "-M", "-G", "wheel", "-s", "/bin/bash", "ada"];
    const result = Bun.spawnSync(add, { env: { PATH: path } });
    expect(result.stderr.toString()).toBe("");
    const read = (file: string): string => readFileSync(work.at("etc", file), "latin1");
    const ours = apply(
      { ...BASE, passwd: BASE.passwd?.replace("# a comment\n", "") },
      request([user("ada", { groups: ["wheel"] })]),
    );
    expect(ours.passwd).toBe(read("passwd"));
    expect(ours.group).toBe(read("group"));
    expect(ours.gshadow).toBe(read("gshadow"));
    expect(existsSync(work.at("etc/shadow"))).toBe(true);
  });
});

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { changeUser } from "../../../src/rastos/system/users.ts";
import { createWorkspace } from "../../support/workspace.ts";

const KEY = `ssh-ed25519 ${"A".repeat(68)} me@box`;

test("accounts with names that no declaration may have get keys, and can be removed", async () => {
  using work = createWorkspace();
  const passwd = "root:x:0:0::/root:/bin/sh\nJohn.Doe:x:1000:1000::/home/john:/bin/sh\n";
  work.write("root/etc/passwd", passwd);
  work.write("root/etc/group", "root:x:0:\nDomain Users:x:1000:John.Doe\n");
  work.write("root/etc/shadow", "root:*:::::::\nJohn.Doe:*:::::::\n");
  work.folder("root/home/john");
  const place = { root: work.at("root"), shared: new Map<string, string>(), isDryRun: false };
  const added = await changeUser(place, { kind: "add keys", name: "John.Doe", keys: [KEY] });
  expect(added.changes.map(({ area }) => area)).toEqual(["ssh keys"]);
  const keys = readFileSync(work.at("root/home/john/.ssh/authorized_keys"), "utf8");
  expect(keys).toBe(`${KEY}\n`);
  await changeUser(place, { kind: "remove", name: "John.Doe" });
  expect(readFileSync(work.at("root/etc/passwd"), "utf8")).not.toContain("John.Doe");
});

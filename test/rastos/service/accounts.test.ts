import { expect, test } from "bun:test";
import { findAccount } from "../../../src/rastos/service/accounts.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("accounts by name and number, with the groups that they are in", () => {
  using work = createWorkspace();
  work.write("passwd", "root:x:0:0:root:/root:/bin/sh\n# no\nme:x:7:8:Me:/home/me:/bin/fish\n");
  work.write("group", "root:x:0:\nme:x:8:\nwheel:x:9:other,me\nvideo:x:10:me\naudio:x:11:\n");
  const find = (wish: Parameters<typeof findAccount>[0]) => findAccount(wish, work.path);
  const me = { uid: 7, gid: 8, groups: [8, 9, 10], name: "me", home: "/home/me" };
  expect(find({ user: "me" })).toMatchObject({ kind: "found", account: me });
  expect(find({ user: "7" })).toMatchObject({ account: me });
  expect(find({ user: "me", group: "audio", groups: ["video", "77"] })).toMatchObject({
    account: { gid: 11, groups: [11, 10, 77] },
  });
  expect(find({ user: "1234" })).toMatchObject({ account: { uid: 1234, gid: 1234, home: "/" } });
  expect(find({ group: "video" })).toMatchObject({ account: { uid: 0, gid: 10 } });
  expect(find({ user: "nobody" })).toEqual({ kind: "missing", reason: 'no user "nobody"' });
  expect(find({ user: "me", group: "x" })).toEqual({ kind: "missing", reason: 'no group "x"' });
  expect(find({ user: "me", groups: ["y"] })).toEqual({ kind: "missing", reason: 'no group "y"' });
  expect(find({ user: "-1" }).kind).toBe("missing");
});

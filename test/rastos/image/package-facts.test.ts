import { expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { readMtree, readPackageFacts } from "../../../src/rastos/image/package-facts.ts";
import { createWorkspace } from "../../support/workspace.ts";

const MTREE = `#mtree
/set type=file uid=0 gid=0 mode=644
./.BUILDINFO time=1700000000.0 size=10
/set mode=755
./usr type=dir
./usr/bin/tool time=1700000000.0 size=10 mode=4755
./usr/bin/link type=link link=tool
./var/lib/db time=1700000000.0 uid=27 gid=28 mode=700 type=dir
./usr/share/a\\040b time=1700000000.0 mode=644
`;

test("an mtree's owners and permissions, with what /set says and octal names", () => {
  const owners = new Map();
  readMtree(MTREE, owners);
  expect(Object.fromEntries(owners)).toEqual({
    ".BUILDINFO": { uid: 0, gid: 0, permissions: 0o644 },
    usr: { uid: 0, gid: 0, permissions: 0o755 },
    "usr/bin/tool": { uid: 0, gid: 0, permissions: 0o4755 },
    "usr/bin/link": { uid: 0, gid: 0, permissions: 0o777 },
    "var/lib/db": { uid: 27, gid: 28, permissions: 0o700 },
    "usr/share/a b": { uid: 0, gid: 0, permissions: 0o644 },
  });
});

test("the newest build of a root's packages; none without packages", () => {
  using work = createWorkspace();
  const local = "root/var/lib/pacman/local";
  work.write(`${local}/a-1-1/desc`, "%NAME%\na\n\n%BUILDDATE%\n1600000000\n");
  work.write(`${local}/b-1-1/desc`, "%NAME%\nb\n\n%BUILDDATE%\n1700000000\n");
  work.write(`${local}/b-1-1/mtree`, gzipSync(MTREE));
  const facts = readPackageFacts(work.at("root"));
  expect(facts.newestBuild).toBe(1_700_000_000);
  expect(facts.owners.get("var/lib/db")?.uid).toBe(27);
  expect(readPackageFacts(work.folder("other")).newestBuild).toBeUndefined();
});

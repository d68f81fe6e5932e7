import { expect, test } from "bun:test";
import { findUser } from "../../../src/blit/daemon/users.ts";

const passwd =
  "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:1001::/home/anna:/bin/sh\nodd:x::7::/:\n";

test.each([
  ["root", { uid: 0, gid: 0 }],
  ["anna", { uid: 1000, gid: 1001 }],
  ["5:6", { uid: 5, gid: 6 }],
  ["odd", undefined],
  ["", undefined],
  ["bert", undefined],
  // Every number above would mean "leave it".
  ["4294967295:0", undefined],
])("%j", (name, ids) => expect(findUser(name, passwd)).toEqual(ids as never));

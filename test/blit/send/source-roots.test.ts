import { afterEach, beforeEach, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { O } from "../../../ffi/abi/constants.ts";
import { RESOLVE } from "../../../ffi/abi/open-how.ts";
import { sys } from "../../../ffi/sys.ts";
import { SendSession } from "../../../src/blit/send/send-session.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import type { Base, SourceRoot } from "../../../src/blit/session/types.ts";
import { openFile } from "../../support/socket-pair.ts";
import { plainOptions } from "../../support/stream-transfer.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

let work: Workspace;
let base: Base;
beforeEach(() => {
  work = createWorkspace();
  work.write("module/file", "in");
  work.write("module/folder/inner", "in");
  work.write("outside", "secret");
  base = { fd: openFile(work.at("module"), O.RDONLY), resolve: RESOLVE.BENEATH };
});
afterEach(() => {
  sys.close(base.fd);
  work[Symbol.dispose]();
});

async function open(from: Base, source: string): Promise<SourceRoot | string> {
  const request = { options: plainOptions, base: from, sources: [source], streams: 1 };
  const session = await SendSession.open(request).catch((error: unknown) => error);
  if (!(session instanceof SendSession)) return (session as { code: string }).code;
  const [root] = session.roots;
  await session.close();
  return root as SourceRoot;
}

test("all of a module, what is in a folder of it, a folder, a file", async () => {
  expect(await open(base, "")).toMatchObject({ kind: "folder", isContents: true, name: "" });
  expect(await open(base, "/")).toMatchObject({ kind: "folder", isContents: true });
  expect(await open(base, "folder/")).toMatchObject({ isContents: true, name: "folder" });
  expect(await open(base, "/folder")).toMatchObject({ isContents: false, name: "folder" });
  expect(await open(base, "file")).toMatchObject({ kind: "entry", name: "file" });
});

test("nothing outside of a module is opened, by whatever way", async () => {
  symlinkSync("../outside", work.at("module/link"));
  symlinkSync("..", work.at("module/up"));
  expect(await open(base, "../outside")).toBe("E_REFUSED");
  expect(await open(base, "up/")).toBe("E_REFUSED");
  expect(await open(base, "up/outside")).toBe("E_REFUSED");
  expect(await open(base, "folder/../..")).toBe("E_REFUSED");
  // The link itself is an entry like any other.
  expect(await open(base, "link")).toMatchObject({ kind: "entry", name: "link" });
});

test("links that stay inside are followed", async () => {
  symlinkSync("folder", work.at("module/inside"));
  expect(await open(base, "inside/")).toMatchObject({ kind: "folder", isContents: true });
});

test("a user's own paths", async () => {
  expect(await open(freeBase, work.at("outside"))).toMatchObject({ kind: "entry" });
  expect(await open(freeBase, work.at("nothing"))).toBe("E_NOT_FOUND");
  expect(await open(freeBase, `${work.at("outside")}/`)).toBe("E_IO");
  expect(await open(freeBase, "")).toBe("E_USAGE");
});

import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { takeStoreLock } from "../../../src/blast/wheel/store-lock.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("users share a store, a remover has it alone and is told of users at once", async () => {
  using work = createWorkspace();
  const store = work.at("store");
  {
    using _first = await takeStoreLock(store, "shared");
    using _second = await takeStoreLock(store, "shared");
    const refused = await takeStoreLock(store, "alone").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Fault);
    expect((refused as Fault).code).toBe("E_LOCKED");
  }
  using _alone = await takeStoreLock(store, "alone");
});

test("a user waits for a remover", async () => {
  using work = createWorkspace();
  const store = work.at("store");
  const alone = await takeStoreLock(store, "alone");
  let isHeld = false;
  const waiting = takeStoreLock(store, "shared").then((lock) => {
    isHeld = true;
    return lock;
  });
  await Bun.sleep(120);
  expect(isHeld).toBeFalse();
  alone[Symbol.dispose]();
  using _shared = await waiting;
  expect(isHeld).toBeTrue();
});

test("a store that cannot be written is used without a lock, and not cleaned", async () => {
  using work = createWorkspace();
  // A file where a folder should be stands for all reasons; root may write anywhere else.
  writeFileSync(work.at("store"), "");
  using _shared = await takeStoreLock(work.at("store"), "shared");
  const refused = await takeStoreLock(work.at("store"), "alone").catch((error: unknown) => error);
  expect((refused as Fault).code).toBe("E_IO");
  work.folder("closed/lock");
  chmodSync(work.at("closed"), 0o700);
  using _other = await takeStoreLock(work.at("closed"), "shared");
  await expect(takeStoreLock(work.at("closed"), "alone")).rejects.toThrow("is a folder");
});

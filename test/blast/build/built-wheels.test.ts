import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { BuiltWheels } from "../../../src/blast/build/built-wheels.ts";
import { createWorkspace } from "../../support/workspace.ts";

const NAME = "demo-1.0-py3-none-any.whl";
const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");

test("what was kept is found again, by its key alone", async () => {
  using work = createWorkspace();
  const wheels = new BuiltWheels(work.at("wheels"));
  expect(wheels.find("a")).toBeUndefined();
  const kept = await wheels.keep("a", work.write(`out/${NAME}`, "one"));
  expect(kept.sha256).toBe(sha256("one"));
  expect(readFileSync(kept.path, "utf8")).toBe("one");
  expect(new BuiltWheels(work.at("wheels")).find("a")).toEqual(kept);
  expect(wheels.find("b")).toBeUndefined();
});

test("a later build takes the place of an earlier one", async () => {
  using work = createWorkspace();
  const wheels = new BuiltWheels(work.at("wheels"));
  await wheels.keep("a", work.write(`out/${NAME}`, "one"));
  const second = await wheels.keep("a", work.write(`out/${NAME}`, "another"));
  expect(wheels.find("a")).toEqual(second);
  expect(readFileSync(second.path, "utf8")).toBe("another");
});

test("a wheel that was cut off or removed is not there", async () => {
  using work = createWorkspace();
  const wheels = new BuiltWheels(work.at("wheels"));
  const { path } = await wheels.keep("a", work.write(`out/${NAME}`, "one"));
  writeFileSync(path, "on");
  expect(wheels.find("a")).toBeUndefined();
});

test("where nothing can be kept, the wheel is used from where it is", async () => {
  using work = createWorkspace();
  work.write("wheels", "a file in the way");
  const path = work.write(`out/${NAME}`, "one");
  const wheels = new BuiltWheels(work.at("wheels"));
  expect(await wheels.keep("a", path)).toEqual({ path, sha256: sha256("one") });
  expect(wheels.find("a")).toBeUndefined();
});

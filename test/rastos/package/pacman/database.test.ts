import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import {
  fieldsOf,
  packageOf,
  readSyncDatabase,
} from "../../../../src/rastos/package/pacman/database.ts";
import { faultOf } from "../../../support/package-world.ts";
import { makeRepository } from "../../../support/pacman-repository.ts";
import { needsProgram, testUnless } from "../../../support/skip.ts";
import { createWorkspace } from "../../../support/workspace.ts";

// Many processes: slow where others work too.
setDefaultTimeout(60_000);

test("fields are lists, whatever stands between them", () => {
  const fields = fieldsOf("%NAME%\na\n\n%DEPENDS%\nb>=1\nc\n\n%EMPTY%\n\nstray\n%DEPENDS%\nd\n");
  expect([...fields]).toEqual([
    ["NAME", ["a"]],
    ["DEPENDS", ["b>=1", "c", "d"]],
    ["EMPTY", []],
  ]);
  expect(packageOf("%NAME%\na\n", "test")).toBeUndefined();
});

testUnless(needsProgram("bsdtar", "zstd", "xz"))(
  "databases in all their compressions",
  async () => {
    using work = createWorkspace();
    const specs = [
      { name: "a", version: "1-1" },
      { name: "b", version: "2:1-1" },
    ];
    const { folder } = makeRepository(work.at("sync"), specs);
    const read = () => readSyncDatabase(work.path, "test");
    const expected = await read();
    expect(expected.map(({ record }) => `${record.name} ${record.version}`)).toEqual([
      "a 1-1",
      "b 2:1-1",
    ]);
    for (const program of ["zstd -c", "xz -c", "bzip2 -c", "cat"]) {
      const command = `zcat ${folder}/test.db.tar.gz | ${program} >${folder}/test.db`;
      expect(Bun.spawnSync(["sh", "-c", command]).success).toBe(true);
      expect(await read()).toEqual(expected);
    }
    writeFileSync(`${folder}/test.db`, "no database");
    expect((await faultOf(read())).code).toBe("E_INTEGRITY");
    writeFileSync(`${folder}/test.db`, "");
    expect((await faultOf(read())).code).toBe("E_INTEGRITY");
    expect((await faultOf(readSyncDatabase(work.path, "other"))).code).toBe("E_NOT_FOUND");
  },
);

test("any desc is read", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      packageOf(text, "local");
      packageOf(`%NAME%\n${text}\n%VERSION%\n${text}\n%SIZE%\n${text}`, "local");
    }),
  );
});

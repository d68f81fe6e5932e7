/** Two packages that bring the same files with other content, as the variants of OpenCV do. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(60_000);

function offer({ index }: BlastWorld): void {
  const files = (whose: string) => ({
    "cv/__init__.py": `WHOSE = "${whose}"\n`,
    "cv/more.py": `MORE = "${whose}"\n`,
    "cv/same.py": "SAME = 1\n",
    [`cv/of_${whose}.py`]: "",
  });
  index.add({ name: "cv-one", version: "1.0", files: files("one") });
  index.add({ name: "cv-two", version: "1.0", files: files("two") });
}

const whose = "from cv import more, same; import cv; print(cv.WHOSE, more.MORE)";
const REPLACE = '[install]\nfile_conflicts = "replace"\n';

test("neither comes, and what to do is told", async () => {
  await using world = await blastWorld();
  offer(world);
  const { stderr } = await world.fails("install", "cv-one", "cv-two");
  expect(stderr).toMatch(/Cannot install "cv-two": ".*" belongs to "cv-one" as well, and so does/);
  expect(stderr).toContain('file_conflicts = "replace" in [install] of blast.toml');
  expect(world.installed()).toEqual({});
});

for (const isTogether of [true, false]) {
  test(`with "replace" the later one wins, ${isTogether ? "in one" : "in two"}`, async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", REPLACE);
    if (!isTogether) await world.ok("install", "cv-one");
    const { stderr } = await world.ok("install", "cv-one", "cv-two");
    expect(stderr).toContain(
      'cv/__init__.py" belongs to "cv-one" and to "cv-two", and so does one more file: ' +
        'took what "cv-two" has\n',
    );
    expect(stderr.match(/warning/g)).toHaveLength(1);
    expect(world.installed()).toEqual({ "cv-one": "1.0", "cv-two": "1.0" });
    expect(world.python(whose)).toBe("two two");
    expect((await world.ok("sync")).stderr).toContain("Nothing to do");
    // What the other one still needs stays.
    await world.ok("remove", "cv-one");
    expect(world.python(whose)).toBe("two two");
    await world.ok("undo");
    expect(world.installed()).toEqual({ "cv-one": "1.0", "cv-two": "1.0" });
    expect(world.python(whose)).toBe("two two");
  });
}

test("undo of what has replaced another one's files brings those back", async () => {
  await using world = await blastWorld();
  offer(world);
  world.write("blast.toml", REPLACE);
  await world.ok("install", "cv-one");
  await world.ok("install", "cv-two");
  expect(world.python(whose)).toBe("two two");
  await world.ok("undo");
  expect(world.installed()).toEqual({ "cv-one": "1.0" });
  expect(world.python(whose)).toBe("one one");
  expect(world.flaws()).toEqual([]);
  await world.ok("check");
});

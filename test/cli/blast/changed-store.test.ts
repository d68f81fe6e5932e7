/** A large install from a store that somebody has changed: compared while it is linked. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, globSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(120_000);

/** Enough for threads to be started. */
const FILES = 1600;

const DAMAGES: Readonly<Record<string, (tree: string) => void>> = {
  "a file was edited": (tree) => appendFileSync(join(tree, "app/m7.py"), "V = 99\n"),
  "a file is gone": (tree) => rmSync(join(tree, "app/m7.py")),
  "the list of commands is gone": (tree) =>
    rmSync(join(tree, "app-1.0.dist-info/entry_points.txt")),
  "the list of commands is nonsense": (tree) =>
    writeFileSync(join(tree, "app-1.0.dist-info/entry_points.txt"), "[console_scripts]\na/b = ?\n"),
  "all of it is gone": (tree) => rmSync(tree, { recursive: true }),
};

for (const [name, damage] of Object.entries(DAMAGES)) {
  test(`${name}: the wheel is fetched anew`, async () => {
    await using world = await blastWorld();
    const modules = Array.from({ length: FILES }, (_, i) => [`app/m${i}.py`, `V = ${i}\n`]);
    const files = { "app/__init__.py": "", ...Object.fromEntries(modules) };
    world.index.add({ name: "app", files, entryPoints: "[console_scripts]\napp = app.m1:main\n" });
    world.index.add({ name: "other", files: { "other.py": "" } });
    await world.ok("install", "app", "other");
    const [tree = ""] = globSync(join(world.cache, "wheels-v1/*/*/tree")).filter(
      (path) => globSync(join(path, "app-1.0.dist-info")).length === 1,
    );
    damage(tree);
    await world.ok("start", "--path", world.work.folder("second"));
    const second = world.work.at("second/.venv");
    await world.ok("install", "--python", second, "app", "other");
    expect(world.python("import app.m7, other; print(app.m7.V)", second)).toBe("7");
    expect(world.flaws(second)).toEqual([]);
  });
}

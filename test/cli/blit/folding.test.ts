import { beforeAll, expect } from "bun:test";
import { linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { runBlit } from "../../support/binary.ts";
import { exfatMissing as reason, withExfat } from "../../support/exfat.ts";
import { testUnless } from "../../support/skip.ts";

/** Names that are one name to the target. */

beforeAll(() => {
  if (reason !== undefined) process.stderr.write(`folding names are not tested: ${reason}\n`);
});

testUnless(reason)("of names that differ in case alone one is copied, the others fail", () =>
  withExfat(async (mount, folder) => {
    const source = `${folder}/source`;
    for (const name of ["D", "d"]) {
      mkdirSync(`${source}/${name}`, { recursive: true });
      writeFileSync(`${source}/${name}/of-${name}`, name);
    }
    writeFileSync(`${source}/File`, "File");
    writeFileSync(`${source}/file`, "file");
    for (const round of ["into a new folder", "into the folder that is there now"]) {
      const done = await runBlit(["copy", "--json", `${source}/`, `${mount}/target`]);
      const summary = JSON.parse(done.stdout);
      expect({ round, code: done.code, failed: summary.failed }).toEqual({
        round,
        code: 4,
        failed: 2,
      });
      const codes = summary.issues.map((issue: { code: string }) => issue.code);
      expect(codes.filter((code: string) => code === "E_COLLISION")).toHaveLength(2);
      const names = readdirSync(`${mount}/target`).sort();
      expect(names.map((name) => name.toLowerCase()).sort()).toEqual(["d", "file"]);
      // What is there is whole and under its own name: nothing was overwritten by the other.
      const file = names.find((name) => name.toLowerCase() === "file") ?? "";
      expect(readFileSync(`${mount}/target/${file}`, "utf8")).toBe(file);
      const kept = names.find((name) => name.toLowerCase() === "d") ?? "";
      expect(readdirSync(`${mount}/target/${kept}`)).toEqual([`of-${kept}`]);
    }
  }),
);

testUnless(reason)(
  "a name that differs in case alone from one in the target overwrites nothing",
  () =>
    withExfat(async (mount, folder) => {
      mkdirSync(`${mount}/target`);
      writeFileSync(`${mount}/target/README`, "theirs");
      mkdirSync(`${folder}/source`);
      writeFileSync(`${folder}/source/readme`, "ours");
      writeFileSync(`${folder}/source/other`, "other");
      const done = await runBlit(["copy", `${folder}/source/`, `${mount}/target`]);
      expect(done.code).toBe(4);
      expect(done.stderr).toContain("readme");
      expect(readFileSync(`${mount}/target/README`, "utf8")).toBe("theirs");
      expect(readFileSync(`${mount}/target/other`, "utf8")).toBe("other");
    }),
);

testUnless(reason)("files of several names are no exception", () =>
  withExfat(async (mount, folder) => {
    const source = `${folder}/source`;
    mkdirSync(source);
    mkdirSync(`${mount}/target`);
    writeFileSync(`${mount}/target/README`, "theirs");
    for (const name of ["File", "file", "readme"]) {
      writeFileSync(`${source}/${name}`, name);
      linkSync(`${source}/${name}`, `${source}/second-of-${name === "File" ? "upper" : name}`);
    }
    // Two of its own names are one to the target.
    linkSync(`${source}/file`, `${source}/fiLE`);
    for (const command of [["copy"], ["copy"], ["mirror", "--yes"]]) {
      const done = await runBlit([...command, "--json", `${source}/`, `${mount}/target`]);
      const summary = JSON.parse(done.stdout);
      expect({ command, code: done.code, failed: summary.failed }).toEqual({
        command,
        code: 4,
        failed: 3,
      });
      expect(readFileSync(`${mount}/target/README`, "utf8")).toBe("theirs");
      const names = readdirSync(`${mount}/target`).sort();
      const kept = names.filter((name) => name.toLowerCase() === "file");
      expect(kept).toHaveLength(1);
      // Either is there, under its own name; what is called fiLE holds the same as file.
      const content = readFileSync(`${mount}/target/${kept[0] ?? ""}`, "utf8");
      expect(content).toBe(kept[0] === "File" ? "File" : "file");
      const others = names.filter((name) => name.startsWith("second"));
      expect(others).toEqual(["second-of-file", "second-of-readme", "second-of-upper"]);
      const texts = others.map((name) => readFileSync(`${mount}/target/${name}`, "utf8"));
      expect(texts).toEqual(["file", "readme", "File"]);
    }
  }),
);

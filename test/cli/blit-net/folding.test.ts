import { expect, setDefaultTimeout } from "bun:test";
import { linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { runBlit } from "../../support/binary.ts";
import { exfatMissing, withExfat } from "../../support/exfat.ts";
import { startNetDaemon } from "../../support/net-daemon.ts";
import { testUnless } from "../../support/skip.ts";

// Other work on the machine may slow this down; it does not depend on time.
setDefaultTimeout(60_000);

testUnless(exfatMissing)("files of several names overwrite none that folds, at a server", () =>
  withExfat(async (mount, folder) => {
    const source = `${folder}/source`;
    mkdirSync(source);
    mkdirSync(`${mount}/target`);
    for (const name of ["README", "Data"]) writeFileSync(`${mount}/target/${name}`, "theirs");
    for (const name of ["readme", "data", "plain"]) {
      writeFileSync(`${source}/${name}`, name);
      linkSync(`${source}/${name}`, `${source}/second-of-${name}`);
    }
    await using daemon = await startNetDaemon({ folder: `${folder}/daemon`, root: mount });
    for (const round of ["first", "second", "third"]) {
      const done = await runBlit(["copy", "--json", `${source}/`, `${daemon.at}/m/target/`]);
      const { issues } = JSON.parse(done.stdout) as { issues: { kind: string; code: string }[] };
      const failed = issues.filter((issue) => issue.kind === "failed");
      const codes = failed.map(({ code }) => code);
      expect({ round, code: done.code, codes }).toEqual({
        round,
        code: 4,
        codes: ["E_COLLISION", "E_COLLISION"],
      });
      const names = readdirSync(`${mount}/target`).sort();
      const texts = names.map((name) => readFileSync(`${mount}/target/${name}`, "utf8"));
      expect(Object.fromEntries(names.map((name, index) => [name, texts[index]]))).toEqual({
        Data: "theirs",
        README: "theirs",
        plain: "plain",
        "second-of-data": "data",
        "second-of-plain": "plain",
        "second-of-readme": "readme",
      });
    }
  }),
);

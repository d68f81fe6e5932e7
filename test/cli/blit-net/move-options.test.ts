import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { runBlit } from "../../support/binary.ts";
import { startNetDaemon } from "../../support/net-daemon.ts";
import { createWorkspace } from "../../support/workspace.ts";

// Other work on the machine may slow this down; it does not depend on time.
setDefaultTimeout(60_000);

const mtimeSeconds = 1_500_000_000;

describe("a move removes nothing for a file of equal size and time alone", () => {
  for (const direction of ["push", "pull"]) {
    test(`--ignore-existing leaves both files, ${direction}`, async () => {
      using work = files();
      const { code, stdout, stderr } = await move(work, direction, "--ignore-existing");
      expect([code, stderr]).toEqual([0, stderr]);
      const { issues } = JSON.parse(stdout) as { issues: { code: string; path: string }[] };
      expect(issues.map((issue) => issue.code)).toEqual(["E_NOT_MOVED"]);
      expect(readdirSync(work.at("s"))).toEqual(["other"]);
      expect(readFileSync(work.at("s/other"), "utf8")).toBe("ours");
      expect(readFileSync(work.at("t/other"), "utf8")).toBe("them");
      expect(readFileSync(work.at("t/new"), "utf8")).toBe("new");
    });

    test(`--size-only moves the content, ${direction}`, async () => {
      using work = files();
      const { code, stderr } = await move(work, direction, "--size-only");
      expect([code, stderr]).toEqual([0, stderr]);
      expect(readFileSync(work.at("t/other"), "utf8")).toBe("ours");
      expect(readFileSync(work.at("t/new"), "utf8")).toBe("new");
      expect(() => readdirSync(work.at("s"))).toThrow();
    });
  }
});

function files() {
  const work = createWorkspace();
  work.write("s/other", "ours", { mtimeSeconds });
  work.write("s/new", "new");
  work.write("t/other", "them", { mtimeSeconds });
  return work;
}

async function move(work: ReturnType<typeof files>, direction: string, flag: string) {
  await using daemon = await startNetDaemon({ folder: work.at("daemon"), root: work.path });
  const [source, target] =
    direction === "push"
      ? [`${work.at("s")}/`, `${daemon.at}/m/t/`]
      : [`${daemon.at}/m/s/`, `${work.at("t")}/`];
  return await runBlit(["move", "--json", flag, source, target]);
}

import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { readSources } from "./support/source-files.ts";
import * as tidy from "./support/tidy-rules.ts";

const SOURCES = readSources(resolve(import.meta.dir, ".."));

// Put together here, so that this file itself keeps the rules.
const HOST = ["registry", "npmjs", "org"].join(".");
const SKIP = ["test", "skip()"].join(".");
const FOLDER = ["", "work", ""].join("/");

/** Each rule with files that break it: a rule that cannot fail protects nothing. */
const RULES: Record<string, { rule: tidy.Rule; bad: Record<string, string>; found: string[] }> = {
  "layers: ffi <- kit <- rooms <- applets <- bin": {
    rule: tidy.layers,
    bad: {
      "ffi/a.ts": 'import { x } from "../src/kit/x.ts";',
      "src/kit/a.ts": 'import type {\n  X,\n} from "../blit/door.ts";',
      "src/kit/b.ts": 'const x: import("../blit/y.ts").Y = 1;',
      "src/blit/a.ts": 'const x = await import("../blast/door.ts");',
      "src/blit/cli/copy.ts": 'import { sys } from "../../../ffi/sys.ts";',
      "src/blit/good.ts": 'import { x } from "../kit/x.ts"; import { y } from "./y.ts";',
      "src/applets.ts": 'import { x } from "./blit/engine/copy.ts";',
      "bin/triad.ts": 'import { x } from "../src/blit/door.ts";',
    },
    found: [
      "ffi/a.ts: must not import src/kit/x.ts",
      "src/kit/a.ts: must not import src/blit/door.ts",
      "src/kit/b.ts: must not import src/blit/y.ts",
      "src/blit/a.ts: must not import src/blast/door.ts",
      "src/blit/cli/copy.ts: must not import ffi/sys.ts",
      "src/applets.ts: must not import src/blit/engine/copy.ts",
      "bin/triad.ts: must not import src/blit/door.ts",
    ],
  },
  "an engine does not know its command line": {
    rule: tidy.engineBelowCli,
    bad: {
      "src/blit/engine/a.ts": 'import { x } from "../cli/copy.ts";',
      "src/blit/engine/b.ts": 'import { x } from "../../kit/cli/run.ts";',
      "src/blit/door.ts": 'import { x } from "./cli/copy.ts";',
    },
    found: ["src/blit/engine/a.ts: must not import src/blit/cli/copy.ts"],
  },
  "pure folders do no I/O": {
    rule: tidy.purity,
    bad: {
      "src/blit/tree/a.ts": 'import { readFileSync } from "node:fs";',
      "src/blit/plan/b.ts": 'import type { Printer } from "../../kit/out/printer.ts";',
      "src/blit/plan/c.ts": 'const x = Bun.file("/etc/passwd"); // Bun.spawn is only in a comment',
      "src/blit/plan/d.ts": 'import { join } from "node:path";',
    },
    found: [
      "src/blit/tree/a.ts: is in a pure folder and must not import node:fs",
      "src/blit/plan/b.ts: is in a pure folder and must not import src/kit/out/printer.ts",
      "src/blit/plan/c.ts: is in a pure folder and must not use Bun.file",
    ],
  },
  "start-up loads nothing heavy": {
    rule: tidy.lightStart,
    bad: {
      "bin/triad.ts": 'import { x } from "../src/a.ts"; const y = await import("zod");',
      "src/a.ts": 'import { z } from "zod/mini"; import type { L } from "consola";',
      "src/blit/door.ts": 'import { run } from "./cli/copy-run.ts";',
    },
    found: [
      "src/blit/door.ts: is on the start-up path and must not import ./cli/copy-run.ts",
      "src/a.ts: is on the start-up path and must not import zod/mini",
    ],
  },
  "commands that mostly have little to do load little": {
    rule: tidy.warmStart,
    bad: {
      "src/blast/cli/sync-run.ts":
        'import { x } from "../sync/a.ts"; const y = await import("../wheel/store.ts");',
      "src/blast/sync/a.ts":
        'import { o } from "node:os"; import { s } from "../../../ffi/sys.ts";',
      "src/blit/cli/copy-run.ts":
        'import ignore from "ignore"; import { c } from "../remote/c.ts";',
      "src/blit/cli/move-run.ts": 'const f = () => require("ignore"); f(); import "node:path";',
      "src/kit/cli/run.ts": 'import { readFileSync } from "node:fs"; import "node:crypto";',
    },
    found: [
      "src/blast/sync/a.ts: is loaded by start, sync, compile and must not import node:os",
      "src/blast/sync/a.ts: is loaded by start, sync, compile and must not import ffi/sys.ts",
      "src/blit/cli/copy-run.ts: is loaded by copy, mirror, move and must not import ignore",
      "src/blit/cli/copy-run.ts: is loaded by copy, mirror, move and must not import " +
        "src/blit/remote/c.ts",
      "src/kit/cli/run.ts: is loaded by run and must not import node:crypto",
    ],
  },
  "files and lines stay short": {
    rule: tidy.sizes,
    bad: {
      "src/long.ts": "x;\n".repeat(601),
      "bin/wide": `# ${"é".repeat(99)}\n`,
      "src/good.ts": `${"x;\n".repeat(600)}`,
    },
    found: ["src/long.ts: has 601 lines", "bin/wide:1: has 101 columns"],
  },
  "a test stands where its source stands": {
    rule: tidy.mirror,
    bad: {
      "src/kit/a-b.ts": "",
      "ffi/fd.ts": "",
      "test/kit/a-b.test.ts": "",
      "test/kit/a-b-more-topics.test.ts": "",
      "test/ffi/fd.test.ts": "",
      "test/kit/gone.test.ts": "",
    },
    found: ["test/kit/gone.test.ts: mirrors no source, such as src/kit/gone.ts"],
  },
  "calls that one place alone may make": {
    rule: tidy.bannedCalls,
    bad: {
      "src/a.ts": 'console.log("x");',
      "src/b.ts": "// console.log is banned\nprocess.exitCode = 1; process.exit(1);",
      "src/blit/c.ts": "process.stderr.write('x'); new Worker(url);",
      "src/blit/d.ts": "writeSync(1, text);",
      "bin/triad.ts": "process.exit(1);",
      "src/workers.ts": 'new Worker(new URL("./x.worker.ts", import.meta.url));',
    },
    found: [
      "src/a.ts: must not use console.log",
      "src/b.ts: must not use process.exit",
      "src/blit/c.ts: must not use process.stderr",
      "src/blit/c.ts: must not use new Worker",
      "src/blit/d.ts: must not use writeSync(1",
    ],
  },
  "every worker is started by src/workers.ts": {
    rule: tidy.workersKnown,
    bad: {
      "src/workers.ts": 'new URL("./gone.worker.ts", x); new URL("./blit/work/copy.worker.ts", x);',
      "src/blit/work/copy.worker.ts": "",
      "src/blit/work/lost.worker.ts": "",
    },
    found: [
      "src/blit/work/lost.worker.ts: is not started by src/workers.ts",
      "src/workers.ts: starts src/gone.worker.ts, which does not exist",
    ],
  },
  "no barrels": {
    rule: tidy.noBarrels,
    bad: { "src/kit/index.ts": "", "src/kit/reindex.ts": "" },
    found: ["src/kit/index.ts: name a file after what it holds"],
  },
  "nothing of the machine that wrote it": {
    rule: tidy.noMachineTraces,
    bad: {
      "docs/a.md": `see src/blit/work/x.ts\nsee ${FOLDER}main`,
      "bun.lock": `https://${HOST}/zod`,
    },
    found: [`docs/a.md:2: must not name ${FOLDER}`, `bun.lock:1: must not name ${HOST}`],
  },
  "tests neither skip without a reason nor leave others out": {
    rule: tidy.honestTests,
    bad: { "test/a.test.ts": SKIP, "test/support/skip.ts": SKIP },
    found: [`test/a.test.ts: must not use ${SKIP.slice(0, -2)}`],
  },
};

describe("house rules", () => {
  for (const [name, { rule }] of Object.entries(RULES)) {
    test(name, () => expect(rule(SOURCES)).toEqual([]));
  }
  test("every rule is in the table", () => {
    const inTable = new Set<unknown>(Object.values(RULES).map(({ rule }) => rule));
    expect(Object.entries(tidy).filter(([, rule]) => !inTable.has(rule))).toEqual([]);
  });
});

describe("each house rule finds what breaks it", () => {
  for (const [name, { rule, bad, found }] of Object.entries(RULES)) {
    test(name, () => expect(rule(new Map(Object.entries(bad))).sort()).toEqual(found.sort()));
  }
});

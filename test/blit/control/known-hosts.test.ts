import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { checkKnownHost, isKnownHost } from "../../../src/blit/control/known-hosts.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { faultOf } from "../../support/control.ts";

// Machines may be busy.
setDefaultTimeout(30_000);

const A = "a1".repeat(32);
const B = "b2".repeat(32);
const NAS = { host: "nas", port: 9031 };

function fileOf(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "known-")), "known_hosts");
  writeFileSync(file, text);
  return file;
}

const acceptsFirst = () => true;

describe("known hosts", () => {
  test("a host is its name and its port, whatever the case", async () => {
    const file = fileOf(`nas:9031 sha256:${A} since Monday\n`);
    await checkKnownHost({ file }, { host: "NAS", port: 9031 }, A);
    expect(isKnownHost(file, NAS)).toBe(true);
    expect(isKnownHost(file, { host: "nas", port: 9032 })).toBe(false);
    expect(isKnownHost(`${file}.gone`, NAS)).toBe(false);
  });

  test("one of several lines of a host is enough (its certificate is being changed)", async () => {
    const file = fileOf(`nas:9031 sha256:${A}\nnas:9031 sha256:${B.toUpperCase()}\n`);
    await checkKnownHost({ file }, NAS, A);
    await checkKnownHost({ file }, NAS, B);
  });

  test("a changed one is refused also where new ones are accepted", async () => {
    const file = fileOf(`nas:9031 sha256:${A}\n`);
    const fault = await faultOf(checkKnownHost({ file, acceptsFirst }, NAS, B));
    expect(fault).toMatchObject({
      code: "E_AUTH",
      details: { known: A, shown: B },
    });
  });

  test("a new one goes to the end, also of a file without a last line end", async () => {
    const file = fileOf(`nas:9031 sha256:${A}`);
    await checkKnownHost({ file, acceptsFirst }, { host: "fe80::1", port: 1 }, B);
    expect(readFileSync(file, "utf8")).toBe(`nas:9031 sha256:${A}\n[fe80::1]:1 sha256:${B}\n`);
    await checkKnownHost({ file }, { host: "fe80::1", port: 1 }, B);
  });

  test("a line that is not understood stops all: it may be the one that refuses", async () => {
    const file = fileOf("nas:9031 sha256:abc\n");
    const fault = await faultOf(checkKnownHost({ file, acceptsFirst }, NAS, A));
    expect(fault.code).toBe("E_CONFIG");
    expect(fault.message).toContain("line 1");
  });

  test("many at the same time all get their line", async () => {
    const file = fileOf("");
    const ports = Array.from({ length: 50 }, (_, index) => index + 1);
    const check = (port: number) =>
      checkKnownHost({ file, acceptsFirst: async () => true }, { host: "h", port }, A);
    await Promise.all(ports.map(check));
    for (const port of ports) expect(isKnownHost(file, { host: "h", port })).toBe(true);
  });

  test("whatever a file holds, it is an answer or a Fault", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        const error = await checkKnownHost({ file: fileOf(text) }, NAS, A).catch((it) => it);
        expect(error).toBeInstanceOf(Fault);
      }),
      { numRuns: 50 },
    );
  });
});

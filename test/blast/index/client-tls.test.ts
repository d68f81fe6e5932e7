import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";

import { openIndex } from "../../../src/blast/index/client.ts";
import type { IndexOptions } from "../../../src/blast/index/options.ts";
import { describeUnless, needsProgram } from "../../support/skip.ts";
import type { WebServer } from "../../support/web-server.ts";
import { startWebServer } from "../../support/web-server.ts";
import type { Workspace } from "../../support/workspace.ts";
import { createWorkspace } from "../../support/workspace.ts";
import { indexOptions, named } from "./index-options.fixture.ts";

/** A certificate of its own making. */
function makeCertificate(work: Workspace): { cert: string; key: string } {
  const [cert, key] = [work.at("cert.pem"), work.at("key.pem")];
  const made = Bun.spawnSync(
    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2
     -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`.split(
      /\s+/,
    ),
  );
  expect(made.exitCode).toBe(0);
  return { cert, key };
}

function start({ cert, key }: { cert: string; key: string }): WebServer {
  return startWebServer(
    { "/foo/": '<a href="foo-1.tar.gz"></a>' },
    { tls: { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") } },
  );
}

async function versions(options: IndexOptions): Promise<number> {
  const index = openIndex({ ...options, noCache: true, retries: 0 });
  return (await index.project(named("foo")))?.versions.length ?? 0;
}

describeUnless(needsProgram("openssl"))("certificates", () => {
  test("that nobody vouches for are refused, and the message says what to do", async () => {
    using work = createWorkspace();
    await using server = start(makeCertificate(work));
    const options = indexOptions(work.path, [server.url]);
    await expect(versions(options)).rejects.toMatchObject({
      code: "E_NETWORK",
      message: expect.stringMatching(/from 127\.0\.0\.1:\d+: the certificate is not trusted/),
      hint: expect.stringContaining("SSL_CERT_FILE"),
    });
  });

  describe("are taken", () => {
    test("from a setting, and from the environment", async () => {
      using work = createWorkspace();
      const { cert, key } = makeCertificate(work);
      await using server = start({ cert, key });
      const options = indexOptions(work.path, [server.url]);
      expect(await versions({ ...options, ca: cert })).toBe(1);
      for (const name of ["PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"]) {
        await using fresh = start({ cert, key });
        const environment = { ...options.environment, [name]: cert };
        expect(await versions({ ...indexOptions(work.path, [fresh.url]), environment })).toBe(1);
      }
    });

    test("unseen from a trusted host, and where nothing is verified", async () => {
      using work = createWorkspace();
      const files = makeCertificate(work);
      await using one = start(files);
      const options = indexOptions(work.path, [one.url]);
      expect(await versions({ ...options, trustedHosts: ["127.0.0.1"] })).toBe(1);
      await using two = start(files);
      expect(await versions({ ...indexOptions(work.path, [two.url]), verifySsl: false })).toBe(1);
    });
  });
});

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tokenLine } from "../../../src/blit/control/bearer-tokens.ts";
import { makeIdentity } from "../../../src/blit/control/certificate.ts";
import { type RunResult, runBlit } from "../../support/binary.ts";
import { type RunningBlitd, startBlitd } from "../../support/blitd.ts";
import {
  askWithPython,
  grpcurl,
  needsGrpcPython,
  needsGrpcurl,
} from "../../support/grpc-clients.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** Who a daemon is, and who its clients are: the compiled programs. */

setDefaultTimeout(60_000);

const TOKEN = "a-token-of-the-tests";
const alice = makeIdentity({ commonName: "alice", names: [] });
const mallory = makeIdentity({ commonName: "alice", names: [] });

let work: Workspace;
let plain: RunningBlitd;
let encrypted: RunningBlitd;
let guarded: RunningBlitd;

/** A client with a HOME of its own, and what that HOME knows about daemons. */
function client(name: string, knownHosts?: string) {
  const home = work.folder(name);
  const known = join(home, ".config/blit/known_hosts");
  if (knownHosts !== undefined) {
    mkdirSync(join(home, ".config/blit"), { recursive: true });
    writeFileSync(known, knownHosts);
  }
  return {
    blit: (...args: string[]): Promise<RunResult> => runBlit(args, { env: { HOME: home } }),
    known: () => readFileSync(known, "utf8"),
  };
}

function secret(name: string, text: string): string {
  const path = work.at(name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const certificateOf = (daemon: RunningBlitd): string =>
  join(daemon.home, "state", "blit", "blitd.crt");

const shownBy = (daemon: RunningBlitd): string =>
  /SHA256:([0-9a-f]{64})/.exec(daemon.log())?.[1] ?? "";

const firstLine = (result: RunResult): string => result.stderr.split("\n")[0] ?? "";

beforeAll(async () => {
  work = createWorkspace();
  const modules = [{ name: "photos", path: work.folder("photos"), comment: "all of them" }];
  writeFileSync(join(work.at("photos"), "a"), "a");
  plain = await startBlitd({ modules });
  encrypted = await startBlitd({ modules, tls: [] });
  guarded = await startBlitd({
    modules,
    tls: [`client_ca = ${JSON.stringify(secret("clients.pem", alice.cert))}`],
    daemon: [`token_file = ${JSON.stringify(secret("tokens", tokenLine("alice", TOKEN)))}`],
  });
  await encrypted.until(/SHA256:/);
});

afterAll(async () => {
  for (const daemon of [plain, encrypted, guarded]) await daemon[Symbol.asyncDispose]();
  work[Symbol.dispose]();
});

describe("a daemon is known by its certificate", () => {
  test("a new one is refused where nobody can be asked, its fingerprint shown", async () => {
    const { blit } = client("first");
    const refused = await blit("list", "--tls", encrypted.place("photos"));
    expect(refused.code).toBe(1);
    expect(firstLine(refused)).toContain(`is not known: its certificate has the SHA-256`);
    expect(firstLine(refused)).toContain(shownBy(encrypted));
  });

  test("accepted once, it is always talked to over TLS", async () => {
    const { blit, known } = client("second");
    const first = await blit("list", "--accept-new", encrypted.place("photos"));
    expect(first.code).toBe(0);
    expect(known()).toBe(`127.0.0.1:${encrypted.port} sha256:${shownBy(encrypted)}\n`);
    const pull = await blit("copy", encrypted.place("photos"), work.at("second-out"));
    expect(pull.code).toBe(0);
    expect(readFileSync(work.at("second-out/a"), "utf8")).toBe("a");
  });

  test("another certificate than before: nothing is sent, whatever the flags", async () => {
    const line = `127.0.0.1:${encrypted.port} sha256:${"0".repeat(64)}\n`;
    const { blit, known } = client("third", line);
    const source = work.folder("third-source");
    writeFileSync(join(source, "private"), "private");
    for (const flags of [[], ["--tls"], ["--accept-new"]]) {
      const push = await blit("copy", ...flags, source, encrypted.place("photos"));
      expect(push.code).toBe(1);
      expect(firstLine(push)).toContain("shows another certificate than before");
    }
    expect(known()).toBe(line);
    expect(await Bun.file(join(work.at("photos"), "third-source")).exists()).toBe(false);
  });

  test("one that is known never goes back to plain", async () => {
    const line = `127.0.0.1:${plain.port} sha256:${"0".repeat(64)}\n`;
    const { blit } = client("fourth", line);
    const listed = await blit("list", plain.place("photos"));
    expect(listed.code).toBe(1);
    expect(firstLine(listed)).toContain("Cannot encrypt the connection");
  });

  test("--ca takes whom the authority vouches for, and nobody else", async () => {
    const { blit } = client("fifth");
    const good = ["--ca", certificateOf(encrypted)];
    expect((await blit("list", ...good, encrypted.place("photos"))).code).toBe(0);
    const wrong = await blit("list", ...good, guarded.place("photos"));
    expect(wrong.code).toBe(1);
    expect(firstLine(wrong)).toContain("does not vouch for");
  });
});

describe("a client is known by its certificate and its token", () => {
  const asAlice = () => [
    ...["--cert", work.at("clients.pem"), "--key", secret("alice.key", alice.key)],
  ];

  test("both right", async () => {
    const { blit } = client("alice");
    const token = ["--token-file", secret("token", `${TOKEN}\n`)];
    const listed = await blit(
      "list",
      "--accept-new",
      ...asAlice(),
      ...token,
      guarded.place("photos"),
    );
    expect(listed).toMatchObject({ code: 0 });
    expect(listed.stdout).toContain("a");
  });

  test("one of them missing or wrong", async () => {
    const { blit } = client("not-alice");
    const token = ["--token-file", secret("token", `${TOKEN}\n`)];
    const wrongToken = ["--token-file", secret("wrong", "guess\n")];
    const asMallory = [
      ...["--cert", secret("mallory.crt", mallory.cert)],
      ...["--key", secret("mallory.key", mallory.key)],
    ];
    const cases: [string[], string][] = [
      [[...token], "asks for a client certificate"],
      [[...asAlice()], "asks for a token"],
      [[...asAlice(), ...wrongToken], "does not take this token"],
      [[...asMallory, ...token], "does not know who has signed your certificate"],
    ];
    for (const [flags, message] of cases) {
      const result = await blit("list", "--accept-new", ...flags, guarded.place("photos"));
      expect(result.code).toBe(1);
      expect(result.stderr).toContain(message);
      expect(result.stderr).not.toContain(TOKEN);
    }
    expect(guarded.log()).not.toContain(TOKEN);
  });
});

describe("clients that others have made list the modules", () => {
  testUnless(needsGrpcurl())("grpcurl, plain and over TLS", async () => {
    const listed = { modules: [{ name: "photos", comment: "all of them" }] };
    const inClear = await grpcurl("-plaintext", `127.0.0.1:${plain.port}`, "blit.v2.Blit/List");
    expect(JSON.parse(inClear)).toEqual(listed);
    const ca = ["-cacert", certificateOf(encrypted)];
    const secure = await grpcurl(...ca, `127.0.0.1:${encrypted.port}`, "blit.v2.Blit/List");
    expect(JSON.parse(secure)).toEqual(listed);
  });

  testUnless(needsGrpcPython())("grpcio, plain and with certificate and token", async () => {
    const expected = { modules: ["photos"] };
    expect(await askWithPython(`127.0.0.1:${plain.port}`)).toMatchObject(expected);
    const files = ["--cert", work.at("clients.pem"), "--key", secret("alice.key", alice.key)];
    const args = ["--ca", certificateOf(guarded), ...files, "--token", TOKEN];
    expect(await askWithPython(`127.0.0.1:${guarded.port}`, ...args)).toMatchObject(expected);
  });
});

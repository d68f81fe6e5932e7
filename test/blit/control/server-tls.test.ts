import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import type { CallContext } from "../../../src/blit/control/calls.ts";
import { type Identity, makeIdentity } from "../../../src/blit/control/certificate.ts";
import type { ClientSecurity } from "../../../src/blit/control/dial.ts";
import type { FirstContact } from "../../../src/blit/control/known-hosts.ts";
import type { ControlEvent } from "../../../src/blit/control/server.ts";
import type { ServerTrust } from "../../../src/blit/control/server-trust.ts";
import { deriveStreamKeys, sessionSecret } from "../../../src/blit/control/stream-keys.ts";
import { all, connectTo, faultOf, serveControl } from "../../support/control.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

// Machines may be busy.
setDefaultTimeout(30_000);

const NAMES = ["localhost", "127.0.0.1"];
const daemon = makeIdentity({ commonName: "blitd", names: NAMES });
const other = makeIdentity({ commonName: "blitd", names: NAMES });
const alice = makeIdentity({ commonName: "alice", names: [] });
const mallory = makeIdentity({ commonName: "alice", names: [] });

function hashOf(identity: Identity): string {
  const { fingerprint256 } = new X509Certificate(identity.cert);
  return fingerprint256.replaceAll(":", "").toLowerCase();
}

function knownHostsFile(content?: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "known-")), "blit", "known_hosts");
  if (content === undefined) return file;
  const flat = join(file, "../..", "known_hosts");
  writeFileSync(flat, content);
  return flat;
}

const tls = (trust: ServerTrust, identity?: Identity): ClientSecurity => ({
  kind: "tls",
  trust,
  identity,
});
const pinned = (identity: Identity): ServerTrust => ({
  kind: "pinned",
  certificateSha256: hashOf(identity),
});

/** Calls that reach a handler. */
function counting() {
  const seen: CallContext["peer"][] = [];
  return {
    seen,
    handlers: {
      filesystemStats: async (_: unknown, context: CallContext) => {
        seen.push(context.peer);
        return { fileSystem: "x" };
      },
    },
  };
}

describe("an encrypted connection", () => {
  test("is TLS 1.3 with HTTP/2, and both ends derive the same keys", async () => {
    const session = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const secrets: (Uint8Array | undefined)[] = [];
    await using server = await serveControl(
      {
        filesystemStats: async (_, context) => {
          secrets.push(sessionSecret(context, session));
          expect(context.peer.isEncrypted).toBe(true);
          return {};
        },
      },
      { tls: daemon },
    );
    using client = await connectTo(server, tls(pinned(daemon)));
    await client.filesystemStats({});
    const secret = sessionSecret(client, session) as Uint8Array;
    expect(client.isEncrypted).toBe(true);
    expect(secret.length).toBe(32);
    expect(secrets).toEqual([secret]);
    expect(sessionSecret(client, Uint8Array.of(9))).not.toEqual(secret);
    const keys = deriveStreamKeys({ secret, stream: 0, end: "client" });
    expect(keys.sendKey).not.toEqual(keys.receiveKey);
  });

  test("carries long messages both ways", async () => {
    await using server = await serveControl(
      {
        async *push(requests) {
          for await (const { payload } of requests) if (payload.case === "data") yield { payload };
        },
      },
      { tls: daemon },
    );
    using client = await connectTo(server, tls(pinned(daemon)));
    const data = crypto.getRandomValues(new Uint8Array(65_536));
    const long = Buffer.concat(Array.from({ length: 16 }, () => data));
    async function* requests() {
      for (let index = 0; index < 8; index += 1) {
        yield { payload: { case: "data" as const, value: { data: long } } };
      }
    }
    const answers = await all(client.push(requests()));
    expect(answers).toHaveLength(8);
    for (const { payload } of answers) {
      expect(payload.case === "data" && Buffer.compare(payload.value.data, long)).toBe(0);
    }
  });

  test("is not made with TLS 1.2", async () => {
    await using server = await serveControl({}, { tls: daemon });
    const old = connectTls({
      port: server.port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      maxVersion: "TLSv1.2",
    });
    const outcome = await new Promise((resolve) => {
      old.once("secureConnect", () => resolve("connected"));
      old.once("error", () => resolve("refused"));
      old.once("close", () => resolve("refused"));
    });
    expect(outcome).toBe("refused");
  });

  test("is missed where the daemon does not offer it, and the other way round", async () => {
    await using plain = await serveControl();
    const noTls = await faultOf(connectTo(plain, tls(pinned(daemon)), { timeoutMs: 3000 }));
    expect(noTls.code).toBe("E_NETWORK");
    expect(noTls.hint).toContain("--tls");
    await using encrypted = await serveControl({}, { tls: daemon });
    const noPlain = await faultOf(connectTo(encrypted, { kind: "plain" }, { timeoutMs: 3000 }));
    expect(noPlain.code).toBe("E_NETWORK");
    expect(noPlain.hint).toContain("--tls");
  });
});

describe("the daemon must be the right one", () => {
  test("a pinned certificate, and nobody else's", async () => {
    const { seen, handlers } = counting();
    await using server = await serveControl(handlers, { tls: daemon });
    using client = await connectTo(server, tls(pinned(daemon)));
    await client.filesystemStats({});
    expect(client.certificateSha256).toBe(hashOf(daemon));
    const fault = await faultOf(connectTo(server, tls(pinned(other))));
    expect(fault.code).toBe("E_AUTH");
    expect(
      (await faultOf(connectTo(server, tls({ kind: "pinned", certificateSha256: "" })))).code,
    ).toBe("E_AUTH");
    expect(seen).toHaveLength(1);
  });

  test("on first use one is asked, and the answer is kept", async () => {
    await using server = await serveControl({}, { tls: daemon });
    const file = knownHostsFile();
    const asked: FirstContact[] = [];
    const trust: ServerTrust = {
      kind: "known-hosts",
      file,
      acceptsFirst: async (contact) => {
        asked.push(contact);
        return true;
      },
    };
    for (let times = 0; times < 2; times += 1) {
      using client = await connectTo(server, tls(trust));
      expect((await client.ping({})).host).toBe("here");
    }
    expect(asked).toHaveLength(1);
    expect(asked[0]?.fingerprint).toBe(hashOf(daemon));
    expect(readFileSync(file, "utf8")).toBe(`127.0.0.1:${server.port} sha256:${hashOf(daemon)}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("a person may think for longer than the daemon waits", async () => {
    const dismissed = Promise.withResolvers<void>();
    await using server = await serveControl(
      {},
      { tls: daemon, limits: { strangerMs: 2000 }, onEvent: () => dismissed.resolve() },
    );
    const file = knownHostsFile();
    const acceptsFirst = async () => {
      await dismissed.promise;
      return true;
    };
    using client = await connectTo(server, tls({ kind: "known-hosts", file, acceptsFirst }));
    expect((await client.ping({})).host).toBe("here");
  });

  test("a changed certificate is refused before anything is said", async () => {
    const { seen, handlers } = counting();
    const sessions: ControlEvent[] = [];
    await using server = await serveControl(handlers, {
      tls: daemon,
      onEvent: (event) => sessions.push(event),
    });
    const file = knownHostsFile(`# mine\n127.0.0.1:${server.port} sha256:${hashOf(other)}\n`);
    const trust: ServerTrust = { kind: "known-hosts", file, acceptsFirst: () => true };
    const fault = await faultOf(connectTo(server, tls(trust)));
    expect(fault.code).toBe("E_AUTH");
    expect(fault.message).toContain("another certificate than before");
    expect(fault.hint).toContain(`line 2 of ${file}`);
    expect(seen).toEqual([]);
    expect(readFileSync(file, "utf8")).toContain("# mine");
  });

  test("a new one that nobody accepts is refused, and not kept", async () => {
    await using server = await serveControl({}, { tls: daemon });
    const file = knownHostsFile("");
    const fault = await faultOf(connectTo(server, tls({ kind: "known-hosts", file })));
    expect(fault).toMatchObject({ code: "E_AUTH" });
    expect(fault.hint).toContain("--accept-new");
    expect(fault.message).toContain(hashOf(daemon));
    const trust: ServerTrust = { kind: "known-hosts", file, acceptsFirst: () => false };
    expect((await faultOf(connectTo(server, tls(trust)))).code).toBe("E_AUTH");
    expect(readFileSync(file, "utf8")).toBe("");
  });

  test("with a given authority: its signature and the name count", async () => {
    await using server = await serveControl({}, { tls: daemon });
    using client = await connectTo(server, tls({ kind: "ca", ca: daemon.cert }));
    expect((await client.ping({})).host).toBe("here");
    const unsigned = await faultOf(connectTo(server, tls({ kind: "ca", ca: other.cert })));
    expect(unsigned.code).toBe("E_AUTH");
    const elsewhere = makeIdentity({ commonName: "127.0.0.1", names: ["elsewhere.example"] });
    await using wrongName = await serveControl({}, { tls: elsewhere });
    const fault = await faultOf(connectTo(wrongName, tls({ kind: "ca", ca: elsewhere.cert })));
    expect(fault.code).toBe("E_AUTH");
    const long = new Date("2001-01-01");
    const late = makeIdentity({ commonName: "x", names: NAMES, now: long, days: 1 });
    await using expired = await serveControl({}, { tls: late });
    expect((await faultOf(connectTo(expired, tls({ kind: "ca", ca: late.cert })))).code).toBe(
      "E_AUTH",
    );
  });
});

describe("the client must be the right one (mTLS)", () => {
  const withCa = { tls: { ...daemon, clientCa: alice.cert } };

  test("the listed certificate is let in, and its name is known", async () => {
    const { seen, handlers } = counting();
    await using server = await serveControl(handlers, withCa);
    using client = await connectTo(server, tls(pinned(daemon), alice));
    await client.filesystemStats({});
    expect(seen).toMatchObject([
      { certificateName: "alice", certificateSha256: hashOf(alice), isEncrypted: true },
    ]);
  });

  test("another one of the same name is not, and neither is none", async () => {
    const { seen, handlers } = counting();
    await using server = await serveControl(handlers, withCa);
    using wrong = await connectTo(server, tls(pinned(daemon), mallory));
    expect(await faultOf(wrong.filesystemStats({}))).toMatchObject({
      code: "E_AUTH",
      message: "The daemon does not know who has signed your certificate",
    });
    using none = await connectTo(server, tls(pinned(daemon)));
    expect((await faultOf(none.filesystemStats({}))).message).toContain("client certificate");
    expect((await faultOf(none.ping({}))).code).toBe("E_AUTH");
    expect(seen).toEqual([]);
  });

  test("one of several listed; one that is out of date is not", async () => {
    const bob = makeIdentity({ commonName: "bob", names: [] });
    const old = makeIdentity({
      commonName: "old",
      names: [],
      now: new Date("2001-01-01"),
      days: 1,
    });
    const { seen, handlers } = counting();
    const clientCa = [alice, bob, old].map((one) => one.cert).join("\n");
    await using server = await serveControl(handlers, { tls: { ...daemon, clientCa } });
    using client = await connectTo(server, tls(pinned(daemon), bob));
    await client.filesystemStats({});
    using late = await connectTo(server, tls(pinned(daemon), old));
    expect((await faultOf(late.filesystemStats({}))).code).toBe("E_AUTH");
    expect(seen.map((peer) => peer.certificateName)).toEqual(["bob"]);
  });

  testUnless(needsProgram("openssl"))("one that a listed authority has signed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ca-"));
    const script = `
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key \
        -out ca.pem -days 9 -subj /CN=authority
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout carol.key \
        -out carol.csr -subj /O=Example/CN=carol
      openssl x509 -req -in carol.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
        -days 9 -out carol.pem
    `;
    expect(Bun.spawnSync(["sh", "-ec", script], { cwd: folder }).exitCode).toBe(0);
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    const { seen, handlers } = counting();
    await using server = await serveControl(handlers, {
      tls: { ...daemon, clientCa: read("ca.pem") },
    });
    const carol = { cert: read("carol.pem"), key: read("carol.key") };
    using client = await connectTo(server, tls(pinned(daemon), carol));
    await client.filesystemStats({});
    expect(seen.map((peer) => peer.certificateName)).toEqual(["carol"]);
  });

  test("a certificate that nobody asked for proves nothing", async () => {
    const { seen, handlers } = counting();
    await using server = await serveControl(handlers, { tls: daemon });
    using client = await connectTo(server, tls(pinned(daemon), mallory));
    await client.filesystemStats({});
    expect(seen).toMatchObject([{ certificateName: undefined, certificateSha256: undefined }]);
  });
});

test("a new certificate counts from the next connection on; on or off is refused", async () => {
  const { seen, handlers } = counting();
  await using server = await serveControl(handlers, { tls: { ...daemon, clientCa: alice.cert } });
  using before = await connectTo(server, tls(pinned(daemon), alice));
  await before.filesystemStats({});
  server.setTls({ ...other, clientCa: mallory.cert });
  expect((await faultOf(connectTo(server, tls(pinned(daemon), mallory)))).code).toBe("E_AUTH");
  using after = await connectTo(server, tls(pinned(other), mallory));
  await after.filesystemStats({});
  using late = await connectTo(server, tls(pinned(other), alice));
  expect((await faultOf(late.filesystemStats({}))).code).toBe("E_AUTH");
  await before.filesystemStats({});
  expect(seen.map((peer) => peer.certificateSha256)).toEqual(
    [alice, mallory, alice].map((identity) => hashOf(identity)),
  );
  expect(() => server.setTls(undefined)).toThrow("while the daemon runs");
  expect(() => server.setTls(daemon)).toThrow("while the daemon runs");
});

test("no session is resumed: who was let in once proves it again each time", async () => {
  await using server = await serveControl({}, { tls: { ...daemon, clientCa: alice.cert } });
  const sessions: Buffer[] = [];
  const once = (): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({
        port: server.port,
        host: "127.0.0.1",
        rejectUnauthorized: false,
        ALPNProtocols: ["h2"],
        ...alice,
        ...(sessions[0] === undefined ? {} : { session: sessions[0] }),
      });
      socket.on("session", (session) => sessions.push(session));
      socket.on("error", reject);
      // The daemon's first bytes come behind its tickets, if it gives any.
      socket.once("data", () => {
        resolve(socket.isSessionReused());
        socket.destroy();
      });
    });
  expect(await once()).toBe(false);
  expect(sessions).toEqual([]);
  expect(await once()).toBe(false);
});

test("an encrypted daemon closes strangers too, before and after the handshake", async () => {
  const events: ControlEvent[] = [];
  await using server = await serveControl(
    {},
    { tls: daemon, limits: { strangerMs: 80 }, onEvent: (event) => events.push(event) },
  );
  const closed = (socket: Socket) =>
    new Promise<void>((resolve) => {
      socket.on("error", () => undefined);
      socket.on("data", () => undefined);
      socket.on("close", () => resolve());
    });
  const where = { port: server.port, host: "127.0.0.1" };
  await Promise.all([
    closed(connectTcp(where)),
    closed(connectTls({ ...where, rejectUnauthorized: false, ALPNProtocols: ["h2"] })),
  ]);
  expect(server.connections()).toBe(0);
  expect(events.filter((event) => event.kind === "dismissed")).toHaveLength(2);
});

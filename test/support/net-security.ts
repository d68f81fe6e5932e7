import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What stands on both sides of a connection: lines of a daemon's config, flags of a client. */
export interface Security {
  readonly daemon: readonly string[];
  readonly rest: readonly string[];
  readonly client: readonly string[];
}

export const SECURITY_KINDS = ["plain", "TLS", "mTLS and token"] as const;
export type SecurityKind = (typeof SECURITY_KINDS)[number];

/** Makes the files of one kind in a folder, certificates by openssl. */
export function makeSecurity(kind: SecurityKind, folder: string): Security {
  if (kind === "plain") return { daemon: [], rest: [], client: [] };
  if (kind === "TLS") {
    const rest = ["[daemon.tls]", "enabled = true"];
    return { daemon: [], rest, client: ["--tls", "--accept-new"] };
  }
  mkdirSync(folder, { recursive: true });
  const { ca, cert, key } = clientCertificate(folder);
  const token = randomBytes(24).toString("base64url");
  const tokenFile = secret(join(folder, "token"), token);
  const hashed = createHash("sha256").update(token).digest("hex");
  const tokens = secret(join(folder, "tokens"), `tester:${hashed}\n`);
  return {
    daemon: [`token_file = ${JSON.stringify(tokens)}`],
    rest: ["[daemon.tls]", "enabled = true", `client_ca = ${JSON.stringify(ca)}`],
    client: ["--accept-new", "--cert", cert, "--key", key, "--token-file", tokenFile],
  };
}

/** A certificate authority, and a client's certificate that it has signed. */
export function clientCertificate(folder: string): { ca: string; cert: string; key: string } {
  const at = (name: string): string => join(folder, name);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    ["req", "-x509", ...newKey, "-days", "2", "-subj", "/CN=test CA"],
    ["-keyout", at("ca.key"), "-out", at("ca.pem")],
  );
  openssl(
    ["req", ...newKey, "-subj", "/CN=test client"],
    ["-keyout", at("client.key"), "-out", at("client.csr")],
  );
  openssl(
    ["x509", "-req", "-in", at("client.csr"), "-days", "2", "-CAcreateserial"],
    ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-out", at("client.pem")],
  );
  Bun.spawnSync(["chmod", "600", at("client.key")]);
  return { ca: at("ca.pem"), cert: at("client.pem"), key: at("client.key") };
}

function openssl(...argv: readonly string[][]): void {
  const child = Bun.spawnSync(["openssl", ...argv.flat()], { stdout: "ignore", stderr: "pipe" });
  if (!child.success) throw new Error(`openssl ${argv.flat().join(" ")}: ${child.stderr}`);
}

function secret(path: string, content: string): string {
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

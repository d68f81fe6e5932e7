import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { hostAndPort } from "./peer-address.ts";

/** The certificates that daemons have shown, kept as ssh keeps the keys of hosts. */
export type KnownHosts = {
  /** Lines of `host:port sha256:<hex>`; `#` begins a comment. It need not exist. */
  readonly file: string;
  /**
   * Asked about a daemon that is not in the file: true = take it, and note it in the file. Absent:
   * it is refused.
   */
  acceptsFirst?(contact: FirstContact): boolean | Promise<boolean>;
};

/** A daemon that was never met. */
export type FirstContact = {
  /** "host:port". */
  readonly endpoint: string;
  /** SHA-256 of its certificate, lower-case hexadecimal, as blitd shows it at its start. */
  readonly fingerprint: string;
};

const FILE_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Compares a certificate with what the file holds for its daemon.
 *
 * @throws Fault E_AUTH when it is another one, or a new one that is not accepted
 */
export async function checkKnownHost(
  known: KnownHosts,
  endpoint: { readonly host: string; readonly port: number },
  certificateSha256: string,
): Promise<void> {
  const name = nameOf(endpoint);
  const entries = readEntries(known.file).filter((entry) => entry.name === name);
  if (entries.some((entry) => entry.sha256 === certificateSha256)) return;
  const fingerprint = certificateSha256;
  const first = entries[0];
  if (first !== undefined) throw changed(name, fingerprint, known.file, first);
  if ((await known.acceptsFirst?.({ endpoint: name, fingerprint })) !== true) {
    throw new Fault({
      code: "E_AUTH",
      message: `"${name}" is not known: its certificate has the SHA-256 ${fingerprint}`,
      hint: "compare it with what blitd says there at its start, then use --accept-new",
      details: { certificateSha256 },
    });
  }
  remember(known.file, name, certificateSha256);
}

/** Whether the file knows a daemon: one that has shown a certificate never goes back to none. */
export function isKnownHost(
  file: string,
  endpoint: { readonly host: string; readonly port: number },
): boolean {
  const name = nameOf(endpoint);
  return readEntries(file).some((entry) => entry.name === name);
}

type Entry = { readonly line: number; readonly name: string; readonly sha256: string };

function readEntries(file: string): Entry[] {
  const entries: Entry[] = [];
  for (const [index, raw] of readText(file).split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const found = /^(\S+)\s+sha256:([0-9a-fA-F]{64})(?:\s|$)/.exec(line);
    const [, name, sha256] = found ?? [];
    // A line that is not understood may be the one that would have refused: it is not passed over.
    if (name === undefined || sha256 === undefined) {
      throw new Fault({
        code: "E_CONFIG",
        message: `Cannot read "${file}": line ${index + 1} is not "host:port sha256:…"`,
        hint: "correct the line, or remove it",
      });
    }
    entries.push({ line: index + 1, name: name.toLowerCase(), sha256: sha256.toLowerCase() });
  }
  return entries;
}

function readText(file: string): string {
  try {
    const text = readFileSync(file, "utf8");
    if (text.length <= FILE_BYTES_MAX) return text;
    throw new Error("it is too long");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new Fault({
      code: "E_IO",
      message: `Cannot read "${file}": ${(error as Error).message}`,
      cause: error,
    });
  }
}

/** One write at the end of the file: what runs at the same time adds its own line. */
function remember(file: string, name: string, sha256: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const text = readText(file);
    const start = text === "" || text.endsWith("\n") ? "" : "\n";
    const fd = openSync(file, "a", 0o600);
    try {
      writeSync(fd, `${start}${name} sha256:${sha256}\n`);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault({
      code: "E_IO",
      message: `Cannot note "${name}" in "${file}": ${(error as Error).message}`,
      cause: error,
    });
  }
}

function changed(name: string, fingerprint: string, file: string, entry: Entry): Fault {
  return new Fault({
    code: "E_AUTH",
    message: `"${name}" shows another certificate than before: nothing was sent to it`,
    hint:
      "someone may stand between you and it; if its operator has made a new certificate, remove " +
      `line ${entry.line} of ${file}`,
    details: { shown: fingerprint, known: entry.sha256 },
  });
}

function nameOf(endpoint: { readonly host: string; readonly port: number }): string {
  return hostAndPort(endpoint.host.toLowerCase(), endpoint.port).replace(/[\s#]/g, "?");
}

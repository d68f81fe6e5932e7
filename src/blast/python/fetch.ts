/** Fetches lists and archives of Pythons: from the web, `file:` URLs and paths. */
import { closeSync, copyFileSync, openSync, readFileSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Fault } from "../../kit/fault/fault.ts";
import { redactCredentials } from "../../kit/fault/redact.ts";
import { HttpClient } from "../../kit/http/client.ts";
import { HttpFailure } from "../../kit/http/failure.ts";
import { Trust } from "../../kit/http/trust.ts";
import { decodeUri } from "../../kit/text/decode-uri.ts";
import { versionInfo } from "../../kit/version.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** How to fetch. */
export interface FetchOptions {
  readonly environment: Variables;
  /** For messages. Default: "the list of Pythons". */
  readonly what?: string;
  /** Of silence. */
  readonly timeoutMs?: number;
  readonly retries?: number;
}

/** Told of what has arrived. */
export type OnBytes = (doneBytes: number, totalBytes: number | undefined) => void;

const TEXT_BYTES_MAX = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/**
 * A text; undefined where the server says that there is none.
 *
 * @throws {Fault} E_NETWORK, E_NOT_FOUND
 */
export async function fetchText(
  address: string,
  options: FetchOptions,
): Promise<string | undefined> {
  const path = localPath(address);
  if (path !== undefined) {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new Fault({ code: "E_NOT_FOUND", message: `Cannot read "${path}"`, cause: error });
    }
  }
  const { url, client } = open(address, options);
  try {
    return await client.perform(
      () => ({ url, accept: [404] }),
      async (response) =>
        response.status === 404
          ? undefined
          : new TextDecoder().decode(await response.bytes(TEXT_BYTES_MAX)),
    );
  } catch (error) {
    throw asFault(error, `fetch ${options.what ?? "the list of Pythons"}`, options.what);
  } finally {
    client.close();
  }
}

/**
 * A file, written to a new path.
 *
 * @returns its SHA-256 in hexadecimal
 * @throws {Fault} E_NETWORK, E_NOT_FOUND
 */
export async function fetchFile(
  address: string,
  target: string,
  options: FetchOptions & { readonly onBytes?: OnBytes },
): Promise<string> {
  const path = localPath(address);
  if (path !== undefined) {
    try {
      copyFileSync(path, target);
    } catch (error) {
      throw new Fault({ code: "E_NOT_FOUND", message: `Cannot read "${path}"`, cause: error });
    }
    return hashOf(Bun.file(target).stream() as unknown as AsyncIterable<Uint8Array>);
  }
  const { url, client } = open(address, options);
  try {
    return await client.perform(
      () => ({ url, verbatim: true }),
      async (response) => {
        const total = Number(response.headers.get("content-length") ?? Number.NaN);
        const totalBytes = Number.isSafeInteger(total) ? total : undefined;
        // Each try begins anew.
        const fd = openSync(target, "w", 0o600);
        try {
          return await hashOf(written(response.chunks(), fd, totalBytes, options.onBytes));
        } finally {
          closeSync(fd);
        }
      },
    );
  } catch (error) {
    throw asFault(error, `fetch "${redactCredentials(address)}"`);
  } finally {
    client.close();
  }
}

async function* written(
  chunks: AsyncIterable<Uint8Array>,
  fd: number,
  totalBytes: number | undefined,
  onBytes: OnBytes | undefined,
): AsyncGenerator<Uint8Array> {
  let doneBytes = 0;
  for await (const chunk of chunks) {
    let done = 0;
    while (done < chunk.length) done += writeSync(fd, chunk, done);
    doneBytes += chunk.length;
    onBytes?.(doneBytes, totalBytes);
    yield chunk;
  }
  if (totalBytes !== undefined && doneBytes !== totalBytes) throw new Error("it is cut short");
}

async function hashOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of chunks) hasher.update(chunk);
  return hasher.digest("hex");
}

/** Undefined for what must be fetched from a server. */
function localPath(address: string): string | undefined {
  if (/^https?:\/\//i.test(address)) return undefined;
  if (!/^file:/i.test(address)) return address;
  return fileURLToPath(address);
}

function open(address: string, options: FetchOptions): { url: string; client: HttpClient } {
  const url = URL.parse(address);
  if (url === null) {
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot fetch "${redactCredentials(address)}": it is no address`,
    });
  }
  const { username, password, origin } = url;
  url.username = "";
  url.password = "";
  const { environment } = options;
  const secret = Buffer.from(`${decodeUri(username)}:${decodeUri(password)}`).toString("base64");
  const client = new HttpClient({
    concurrency: 4,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    retries: options.retries ?? 3,
    userAgent: `triad/${versionInfo().version} (blast)`,
    trust: new Trust({ verifySsl: true, trustedHosts: [], environment }),
    environment,
    authority: {
      // Of a redirect to elsewhere, the credentials are none of its business.
      authorize: (to) => (username !== "" && to.origin === origin ? `Basic ${secret}` : undefined),
      challenged: async () => false,
    },
  });
  return { url: url.href, client };
}

function asFault(error: unknown, doing: string, what?: string): unknown {
  const isShort = error instanceof Error && error.message === "it is cut short";
  if (!(error instanceof HttpFailure) && !isShort) return error;
  const where = error instanceof HttpFailure ? ` from ${error.host}` : "";
  return new Fault({
    code: "E_NETWORK",
    message: `Cannot ${doing}${where}: ${(error as Error).message}`,
    hint:
      "check the address and the proxy (HTTPS_PROXY)" +
      (what === undefined ? "; [python] mirror of blast.toml says where Pythons are" : ""),
  });
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prober } from "../../src/blast/python/probe.ts";
import { defaultIndexUrl } from "../../src/blast/sync/default-index.ts";
import { basePython } from "./blast-world.ts";

/** What of the user's environment decides how the real index is reached. */
const VARIABLES = [
  "PIP_INDEX_URL",
  "PIP_CERT",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "REQUESTS_CA_BUNDLE",
  "HTTPS_PROXY",
  "HTTP_PROXY",
  "NO_PROXY",
  "https_proxy",
  "http_proxy",
  "no_proxy",
];

const ANSWER_MS_MAX = 20_000;

/** Variables for a run of blast against the index that this machine's pip uses. */
export function realIndexEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));
}

/** A reason where the index that this machine's pip uses does not answer. */
export async function needsRealIndex(): Promise<string | undefined> {
  const scratch = mkdtempSync(join(tmpdir(), "triad-test-index-"));
  try {
    const interpreter = await new Prober({}, join(scratch, "probes")).require(basePython());
    const url = process.env["PIP_INDEX_URL"] ?? (await defaultIndexUrl(interpreter, scratch));
    const page = new URL("docopt/", url.endsWith("/") ? url : `${url}/`);
    const response = await fetch(page, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return response.ok ? undefined : `the package index answers ${response.status}`;
  } catch (error) {
    return `needs a package index that answers (${String(error)})`;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

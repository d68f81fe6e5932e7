import { Fault } from "../../kit/fault/fault.ts";
import { HttpFailure } from "../../kit/http/failure.ts";

/**
 * What a failed request is to the user.
 *
 * @param doing `fetch the page of "flask"`
 * @returns what is no {@link HttpFailure} as it is
 */
export function networkFault(error: unknown, doing: string): unknown {
  if (!(error instanceof HttpFailure)) return error;
  const { attempts, host, message, status } = error;
  const tries = attempts > 1 ? ` (tried ${attempts} times)` : "";
  return new Fault({
    code: "E_NETWORK",
    message: `Cannot ${doing} from ${host}: ${message}${tries}`,
    hint: hintFor(error),
    details: { host, kind: error.kind, attempts, ...(status === undefined ? {} : { status }) },
  });
}

function hintFor(failure: HttpFailure): string | undefined {
  switch (failure.kind) {
    case "dns":
    case "connect":
      return "check the address and the proxy (HTTPS_PROXY, NO_PROXY); --offline uses the cache";
    case "timeout":
      return "a longer time can be set with [resolver] request_timeout or PIP_DEFAULT_TIMEOUT";
    case "tls":
      return "name the authority's file with PIP_CERT or SSL_CERT_FILE, or use a trusted-host";
    case "proxy":
      if (failure.status === 407) return hintForStatus(407);
      return "check HTTPS_PROXY, HTTP_PROXY and pip's proxy setting";
    case "broken":
      return "try again; --offline uses what is cached";
    case "redirect":
    case "too-large":
      return "check the address of the index";
    case "status":
      return hintForStatus(failure.status ?? 0);
  }
}

function hintForStatus(status: number): string | undefined {
  if (status === 401 || status === 403) {
    return "give credentials in the URL, in netrc, by keyring or BLAST_INDEX_<NAME>_USERNAME";
  }
  if (status === 407) return "put user and password into the proxy's URL";
  if (status === 404 || status === 410) return "check the address of the index";
  if (status === 429) return "the server asks for patience: try later, or with fewer requests";
  return status >= 500 ? "try again later; --offline uses what is cached" : undefined;
}

/** Something is not in the cache, and the network may not be asked. */
export function offlineFault(what: string): Fault {
  return new Fault({
    code: "E_NETWORK",
    message: `Cannot fetch ${what}: it is not in the cache, and --offline is given`,
    hint: "run the command once without --offline",
    details: { kind: "offline" },
  });
}

/** A file is not what somebody said that it is. */
export function hashFault(
  what: string,
  name: string,
  expected: string,
  got: string,
  source: string,
): Fault {
  return new Fault({
    code: "E_INTEGRITY",
    message: `Cannot use ${what} from ${source}: its ${name} is "${got}", not "${expected}"`,
    hint: "it was changed on the way or on the server; nothing of it was kept",
    details: { algorithm: name, expected, got },
  });
}

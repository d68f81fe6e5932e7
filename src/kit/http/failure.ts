/** Why a request came to nothing. */
export type FailureKind =
  /** The name of the host is unknown. */
  | "dns"
  /** Nobody answers there, or the way is barred. */
  | "connect"
  /** The certificate is not trusted, or the handshake failed. */
  | "tls"
  /** Silence for too long. */
  | "timeout"
  /** The connection broke, or ended before its time. */
  | "broken"
  /** An answer that is a refusal. */
  | "status"
  /** Too many redirects, or one that must not be followed. */
  | "redirect"
  /** More bytes than were allowed for. */
  | "too-large"
  /** The proxy cannot be used. */
  | "proxy";

/** What a {@link HttpFailure} is made of. */
export interface HttpFailureOptions {
  readonly kind: FailureKind;
  /** Without credentials. */
  readonly url: string;
  readonly reason: string;
  readonly status?: number;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** A request that came to nothing; its message says why in a few words, without the URL. */
export class HttpFailure extends Error {
  readonly kind: FailureKind;
  /** Without credentials. */
  readonly url: string;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** How often it was tried. */
  attempts = 1;

  constructor(options: HttpFailureOptions) {
    super(options.reason, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "HttpFailure";
    this.kind = options.kind;
    this.url = options.url;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** `example.org:8080`. */
  get host(): string {
    return URL.parse(this.url)?.host ?? this.url;
  }
}

const BY_CODE: Readonly<Record<string, { kind: FailureKind; reason: string }>> = {
  ENOTFOUND: { kind: "dns", reason: "the host name is not known" },
  EAI_AGAIN: { kind: "dns", reason: "the name server does not answer" },
  ECONNREFUSED: { kind: "connect", reason: "connection refused" },
  EHOSTUNREACH: { kind: "connect", reason: "no route to the host" },
  ENETUNREACH: { kind: "connect", reason: "the network is unreachable" },
  EACCES: { kind: "connect", reason: "connection not permitted" },
  ECONNRESET: { kind: "broken", reason: "the connection broke" },
  EPIPE: { kind: "broken", reason: "the connection broke" },
  ConnectionClosed: { kind: "broken", reason: "the connection broke" },
  ETIMEDOUT: { kind: "timeout", reason: "no answer in time" },
};

/** What fetch threw, as a failure. */
export function failureOf(error: unknown, url: string): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const name = typeof code === "string" ? code : "";
  const known = Object.hasOwn(BY_CODE, name) ? BY_CODE[name] : undefined;
  if (known !== undefined) return new HttpFailure({ ...known, url, cause: error });
  const text = typeof message === "string" ? message : String(error);
  const kind = kindOfCode(name);
  if (kind === "tls") {
    return new HttpFailure({ kind, url, reason: `the certificate is not trusted (${name})` });
  }
  if (kind !== "proxy") return new HttpFailure({ kind, url, reason: text, cause: error });
  const status = Number(/: (\d{3})\b/.exec(text)?.[1] ?? 0);
  const reason = status === 0 ? "the proxy refused" : `the proxy refused with status ${status}`;
  return new HttpFailure({ kind, url, reason, ...(status === 0 ? {} : { status }) });
}

function kindOfCode(code: string): FailureKind {
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO|ALTNAME|HANDSHAKE/i.test(code)) return "tls";
  return /proxy/i.test(code) ? "proxy" : "broken";
}

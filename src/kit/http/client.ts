/**
 * Requests that do not give up at once: a limit on how many run at a time, retries with backoff,
 * redirects that take no credentials along to other hosts, proxies, certificates. Over Bun's
 * fetch, which keeps connections open.
 */
import { isRetryableStatus, parseRetryAfter, retryDelayMs } from "./backoff.ts";
import { HttpResponse, SilenceTimer } from "./body.ts";
import { failureOf, HttpFailure } from "./failure.ts";
import type { Ticket } from "./limiter.ts";
import { Limiter } from "./limiter.ts";
import type { ProxySettings } from "./proxy.ts";
import { proxyFor } from "./proxy.ts";
import type { Trust } from "./trust.ts";

/** Who may be let in. */
export interface Authority {
  /** The Authorization header for a URL, or undefined. */
  authorize(url: URL): string | undefined;
  /** After a 401: true when {@link authorize} has something new to say. */
  challenged(url: URL): Promise<boolean>;
}

/** How a client behaves. */
export interface HttpClientOptions extends ProxySettings {
  readonly concurrency: number;
  /** Of silence: until the answer begins, and between two pieces of it. */
  readonly timeoutMs: number;
  /** Further tries after the first. */
  readonly retries: number;
  readonly userAgent: string;
  readonly trust: Trust;
  readonly authority?: Authority;
  /** Replaced in tests. */
  readonly sleep?: (delayMs: number) => Promise<void>;
  /** Replaced in tests. */
  readonly random?: () => number;
}

/** A GET. */
export interface HttpRequest {
  /** Without credentials. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The bytes of the file itself, not compressed on the way. */
  readonly verbatim?: boolean;
  /** Statuses that are answers and no failures, beside 2xx. */
  readonly accept?: readonly number[];
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const REDIRECTS_MAX = 10;

/** @see {@link HttpClientOptions} */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #limiter: Limiter;
  /** Of the requests that are going on. */
  readonly #timers = new Set<SilenceTimer>();
  #isClosed = false;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#limiter = new Limiter(options.concurrency);
  }

  /**
   * Asks, and lets `use` read the answer. When either fails in a way that may pass, both are done
   * again; the request is made anew each time, so that `use` may ask for what is still missing.
   *
   * @throws {HttpFailure} with the number of tries; and whatever else `use` throws
   */
  async perform<T>(
    request: () => HttpRequest,
    use: (response: HttpResponse) => Promise<T>,
    ticket?: Ticket,
  ): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#limiter.run(() => this.#attempt(request(), use), ticket);
      } catch (error) {
        if (!(error instanceof HttpFailure)) throw error;
        error.attempts = attempt + 1;
        const delayMs = this.#delayAfter(error, attempt);
        if (delayMs === undefined) throw error;
        await (this.#options.sleep ?? Bun.sleep)(delayMs);
      }
    }
  }

  /** Breaks off what is going on; everything fails from now on. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) timer.abort("broken off");
    this.#timers.clear();
  }

  #delayAfter(failure: HttpFailure, attempt: number): number | undefined {
    if (this.#isClosed || attempt >= this.#options.retries || !isPassing(failure)) return undefined;
    return retryDelayMs(attempt, (this.#options.random ?? Math.random)(), failure.retryAfterMs);
  }

  async #attempt<T>(request: HttpRequest, use: (response: HttpResponse) => Promise<T>): Promise<T> {
    let url = new URL(request.url);
    let isChallenged = false;
    for (let redirects = 0; ; ) {
      const response = await this.#send(url, request);
      try {
        const target = REDIRECTS.has(response.status) && response.headers.get("location");
        if (typeof target === "string") {
          await response.discard();
          redirects += 1;
          url = this.#redirected(url, target, redirects);
          continue;
        }
        if (response.status === 401 && !isChallenged) {
          isChallenged = true;
          await response.discard();
          if (await this.#options.authority?.challenged(url)) continue;
        }
        if (!isAnswer(response.status, request)) {
          await response.discard();
          throw refusal(response);
        }
        return await use(response);
      } finally {
        response.close();
        this.#timers.delete(response.timer);
      }
    }
  }

  async #send(url: URL, request: HttpRequest): Promise<HttpResponse> {
    if (this.#isClosed) {
      throw new HttpFailure({ kind: "broken", url: url.href, reason: "broken off" });
    }
    const { authority, timeoutMs, trust, userAgent } = this.#options;
    const proxy = proxyFor(url, this.#options);
    if (proxy !== undefined && !/^https?:/i.test(proxy)) {
      const reason = "only http and https proxies can be used";
      throw new HttpFailure({ kind: "proxy", url: url.href, reason });
    }
    const authorization = authority?.authorize(url);
    const tls = trust.optionsFor(url);
    const timer = new SilenceTimer(url.href, timeoutMs);
    this.#timers.add(timer);
    try {
      const response = await fetch(url.href, {
        redirect: "manual",
        signal: timer.signal,
        headers: {
          "User-Agent": userAgent,
          ...(request.verbatim === true ? { "Accept-Encoding": "identity" } : {}),
          ...request.headers,
          ...(authorization === undefined ? {} : { Authorization: authorization }),
        },
        tls,
        decompress: request.verbatim !== true,
        // False keeps Bun from looking at the environment by itself.
        proxy: (proxy ?? false) as string,
      });
      timer.touch();
      return new HttpResponse(response, url.href, timer);
    } catch (error) {
      timer.stop();
      this.#timers.delete(timer);
      throw withProxy(failureOf(error, url.href), proxy);
    }
  }

  #redirected(from: URL, location: string, redirects: number): URL {
    const target = URL.parse(location, from.href);
    const fail = (reason: string): HttpFailure =>
      new HttpFailure({ kind: "redirect", url: from.href, reason });
    if (redirects > REDIRECTS_MAX) throw fail(`more than ${REDIRECTS_MAX} redirects`);
    if (target === null || !/^https?:$/.test(target.protocol)) {
      throw fail("redirected to something that is no web address");
    }
    if (from.protocol === "https:" && target.protocol === "http:") {
      if (!this.#options.trust.isTrustedHost(target)) {
        throw fail(`redirected from https to plain http on ${target.host}`);
      }
    }
    // Whatever the server put in there is not ours to send on.
    target.username = "";
    target.password = "";
    target.hash = "";
    return target;
  }
}

/** What did not answer may be the proxy: it is named, without its credentials. */
function withProxy(failure: HttpFailure, proxy: string | undefined): HttpFailure {
  const host = proxy === undefined ? undefined : URL.parse(proxy)?.host;
  if (host === undefined) return failure;
  const { cause, kind, message, status, url } = failure;
  const reason = `${message}, by way of the proxy ${host}`;
  const more = status === undefined ? {} : { status };
  return new HttpFailure({ kind, url, reason, cause, ...more });
}

function isAnswer(status: number, request: HttpRequest): boolean {
  return (status >= 200 && status < 300) || request.accept?.includes(status) === true;
}

function refusal({ status, headers, url }: HttpResponse): HttpFailure {
  const text = STATUS_TEXTS[status];
  return new HttpFailure({
    kind: "status",
    url,
    status,
    reason: text === undefined ? `status ${status}` : `${status} ${text}`,
    retryAfterMs: parseRetryAfter(headers.get("retry-after"), Date.now()),
  });
}

function isPassing(failure: HttpFailure): boolean {
  switch (failure.kind) {
    case "status":
    case "proxy":
      return isRetryableStatus(failure.status ?? 0);
    case "dns":
    case "connect":
    case "timeout":
    case "broken":
      return true;
    case "tls":
    case "redirect":
    case "too-large":
      return false;
  }
}

/** Our own words for the usual ones: a server's text is not to be repeated to a terminal. */
const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  407: "Proxy Authentication Required",
  410: "Gone",
  416: "Range Not Satisfiable",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

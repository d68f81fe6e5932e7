import { failureOf, HttpFailure } from "./failure.ts";

/** Ends a request that has been silent for too long. */
export class SilenceTimer {
  readonly #controller = new AbortController();
  readonly #url: string;
  readonly #limitMs: number;
  #heardMs = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, limitMs: number) {
    this.#url = url;
    this.#limitMs = limitMs;
    this.#arm(limitMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something was heard. */
  touch(): void {
    this.#heardMs = performance.now();
  }

  /** Ends the request at once. */
  abort(reason: string): void {
    this.stop();
    this.#controller.abort(new HttpFailure({ kind: "broken", url: this.#url, reason }));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(delayMs: number): void {
    // One timer that looks at the clock, instead of a new one with every chunk.
    this.#timer = setTimeout(() => {
      const leftMs = this.#limitMs - (performance.now() - this.#heardMs);
      if (leftMs > 0) {
        this.#arm(leftMs);
        return;
      }
      const seconds = Math.round(this.#limitMs / 100) / 10;
      const reason = `no answer for ${seconds} s`;
      this.#controller.abort(new HttpFailure({ kind: "timeout", url: this.#url, reason }));
    }, delayMs);
  }
}

/** An answer whose body has not been read yet. */
export class HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  /** After redirects; without credentials. */
  readonly url: string;
  readonly #response: Response;
  readonly timer: SilenceTimer;
  #isTaken = false;

  constructor(response: Response, url: string, timer: SilenceTimer) {
    this.status = response.status;
    this.headers = response.headers;
    this.url = url;
    this.#response = response;
    this.timer = timer;
  }

  /** The body as it comes. @throws {HttpFailure} */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const body = this.#response.body;
    this.#isTaken = true;
    if (body === null) return;
    try {
      for await (const chunk of body) {
        this.timer.touch();
        yield chunk;
      }
    } catch (error) {
      throw failureOf(error, this.url);
    }
  }

  /** The whole body. @throws {HttpFailure} also when it is longer than `bytesMax` */
  async bytes(bytesMax: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.chunks()) {
      length += chunk.length;
      if (length > bytesMax) {
        const reason = `the answer is longer than ${bytesMax} bytes`;
        throw new HttpFailure({ kind: "too-large", url: this.url, reason });
      }
      chunks.push(chunk);
    }
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  }

  /** Done with it: what is short is read to its end, so that the connection can be used again. */
  async discard(): Promise<void> {
    if (this.#isTaken) return;
    this.#isTaken = true;
    try {
      const length = Number(this.headers.get("content-length") ?? Number.NaN);
      if (length <= DRAIN_BYTES_MAX) {
        await this.#response.arrayBuffer();
      } else {
        await this.#response.body?.cancel();
      }
    } catch {
      // Nobody wants it any more.
    }
  }

  /** Stops the clock, and the body if nobody wanted it; whoever asked does this in the end. */
  close(): void {
    this.timer.stop();
    if (!this.#isTaken) void this.#response.body?.cancel().catch(() => undefined);
  }
}

const DRAIN_BYTES_MAX = 64 * 1024;

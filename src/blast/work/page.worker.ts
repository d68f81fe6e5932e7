/** A thread that reads pages of indexes and writes the cache: answers in, pages out. */
import { Fault } from "../../kit/fault/fault.ts";
import { CacheFolder } from "../index/cache-folder.ts";
import {
  type FromPageWorker,
  makePage,
  type PageJob,
  type ToPageWorker,
} from "../index/page-work.ts";

declare const self: Worker;

function say(message: FromPageWorker, transfer: ArrayBuffer[] = []): void {
  self.postMessage(message, transfer);
}

const warn = (text: string, hint?: string): void => say({ kind: "warning", text, hint });
let cache = new CacheFolder("", warn);

self.onmessage = ({ data }: MessageEvent<ToPageWorker>) => {
  switch (data.kind) {
    case "open":
      cache = new CacheFolder(data.cacheFolder, warn);
      return say({ kind: "ready" });
    case "page":
      return make(data.id, data.job);
    case "append":
      return cache.append(data.path, data.text);
    case "finish":
      return say({ kind: "done" });
  }
};

function make(id: number, job: PageJob): void {
  try {
    const { bytes, stamp } = makePage(job, cache, warn);
    // A small buffer may lie in a pool with others.
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
    say({ kind: "page", id, page: { bytes: own, stamp } }, [own.buffer as ArrayBuffer]);
  } catch (error) {
    say({ kind: "fault", id, fault: faultOf(error).toJson() });
  }
}

function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const { message } = error instanceof Error ? error : new Error(String(error));
  return new Fault({ code: "E_BUG", message: `A worker failed: ${message}`, cause: error });
}

import type { ControlCalls } from "../control/calls.ts";
import type { DiskUsageResponse_Usage } from "../control/proto/blit_pb.js";
import { safeNumber } from "../control/wire-values.ts";
import { bytesOf, entryFromWire, findQueryToWire, issueFromWire, latin1Of } from "./messages.ts";
import type { AdminAnswers, AdminRequest } from "./request.ts";
import type { AdminSource } from "./source.ts";
import type { ModuleInfo, Usage } from "./types.ts";

/** A module of a daemon. */
export function remoteSource(calls: ControlCalls, module: string): AdminSource {
  const remote = new Remote(calls, module);
  return {
    run: <Request extends AdminRequest>(request: Request) =>
      remote.run(request) as AsyncIterable<AdminAnswers[Request["call"]]>,
  };
}

/** The modules of a daemon that the caller may use. */
export async function listModules(calls: ControlCalls): Promise<ModuleInfo[]> {
  const found: ModuleInfo[] = [];
  for await (const { modules } of calls.list({})) {
    for (const { name, comment, readOnly } of modules) {
      found.push({ name, comment, isReadOnly: readOnly });
    }
  }
  return found;
}

class Remote {
  readonly #calls: ControlCalls;
  readonly #module: string;

  constructor(calls: ControlCalls, module: string) {
    this.#calls = calls;
    this.#module = module;
  }

  run(request: AdminRequest): AsyncIterable<AdminAnswers[AdminRequest["call"]]> {
    switch (request.call) {
      case "list":
        return this.#list(request.path, request.isEntryItself);
      case "find":
        return this.#find(request);
      case "usage":
        return this.#usage(request.path, request.depth);
      case "stats":
        return this.#stats(request.path);
      case "purge":
        return this.#purge(request);
    }
  }

  #place(path: string) {
    return { module: this.#module, path: bytesOf(path) };
  }

  async *#list(path: string, isEntryItself: boolean): AsyncGenerator<AdminAnswers["list"]> {
    for await (const answer of this.#calls.list({ place: this.#place(path), isEntryItself })) {
      const { entries, issues } = answer;
      yield { entries: entries.map(entryFromWire), issues: issues.map(issueFromWire) };
    }
  }

  async *#find({
    path,
    query,
  }: Extract<AdminRequest, { call: "find" }>): AsyncGenerator<AdminAnswers["find"]> {
    const request = { place: this.#place(path), ...findQueryToWire(query) };
    for await (const { entries, issues, isCutOff } of this.#calls.find(request)) {
      yield { entries: entries.map(entryFromWire), issues: issues.map(issueFromWire), isCutOff };
    }
  }

  async *#usage(path: string, depth: number): AsyncGenerator<AdminAnswers["usage"]> {
    for await (const answer of this.#calls.diskUsage({ place: this.#place(path), depth })) {
      const { usages, issues } = answer;
      yield { usages: usages.map(usageFromWire), issues: issues.map(issueFromWire) };
    }
  }

  async *#stats(path: string): AsyncGenerator<AdminAnswers["stats"]> {
    const answer = await this.#calls.filesystemStats({ place: this.#place(path) });
    const bytes = (value: bigint): number => safeNumber(value, "a size");
    yield {
      fileSystem: answer.fileSystem,
      totalBytes: bytes(answer.totalBytes),
      freeBytes: bytes(answer.freeBytes),
      availableBytes: bytes(answer.availableBytes),
      totalInodes: bytes(answer.totalInodes),
      freeInodes: bytes(answer.freeInodes),
      isReadOnly: answer.readOnly,
    };
  }

  async *#purge({
    query,
  }: Extract<AdminRequest, { call: "purge" }>): AsyncGenerator<AdminAnswers["purge"]> {
    const { paths, isRecursive, isDryRun, agreedEntries } = query;
    const answers = this.#calls.purge({
      module: this.#module,
      paths: paths.map(bytesOf),
      isRecursive,
      isDryRun,
      ...(agreedEntries === undefined ? {} : { agreedEntries: BigInt(agreedEntries) }),
    });
    for await (const answer of answers) {
      yield {
        entries: safeNumber(answer.entries, "a count"),
        bytes: safeNumber(answer.bytes, "a size"),
        issues: answer.issues.map(issueFromWire),
        isDone: answer.isDone,
      };
    }
  }
}

function usageFromWire(usage: DiskUsageResponse_Usage): Usage {
  return {
    path: latin1Of(usage.path),
    bytes: safeNumber(usage.bytes, "a size"),
    diskBytes: safeNumber(usage.diskBytes, "a size"),
    files: safeNumber(usage.files, "a count"),
    folders: safeNumber(usage.folders, "a count"),
  };
}

import { hostname } from "node:os";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Fault } from "../../../kit/fault/fault.ts";
import { versionInfo } from "../../../kit/version.ts";
import { entryToWire, findQueryFromWire, issueToWire, usageToWire } from "../../admin/messages.ts";
import type { AdminAnswers, AdminRequest } from "../../admin/request.ts";
import { runThreaded } from "../../admin/threaded.ts";
import type { CallContext, ControlHandlers } from "../../control/calls.ts";
import type { ListResponseSchema, Place } from "../../control/proto/blit_pb.js";
import { pathOfBytes, safeNumber } from "../../control/wire-values.ts";
import { WIRE_VERSION } from "../../wire/frame.ts";
import type { Access, ModuleTable } from "../modules.ts";

/** What the administrative calls need of the daemon. */
export type AdminPort = {
  readonly modules: Pick<ModuleTable, "enter" | "visibleTo">;
  /** Asked at each call: a reload may have changed it. */
  settings(): { readonly motd: string; readonly requiresToken: boolean };
};

/** The calls that this file answers. */
export type AdminHandlers = Pick<
  ControlHandlers,
  "ping" | "list" | "find" | "diskUsage" | "filesystemStats" | "purge"
>;

/** Of one removal; each path may hold a folder open while it runs. */
const purgePathsMax = 128;
const depthMax = 4096;

/**
 * Answers the administrative calls. Every path is resolved below its module by the kernel, answers
 * go out in bounded parts as fast as the caller takes them, and a module that is read-only is left
 * as it is.
 */
export function createAdminHandlers(port: AdminPort): AdminHandlers {
  const admin = new Admin(port);
  return {
    async ping(_request, context) {
      const { motd, requiresToken } = port.settings();
      const modules = await port.modules.visibleTo(context.peer);
      return {
        wireVersion: WIRE_VERSION,
        software: `blit ${versionInfo().version}`,
        host: hostname(),
        requiresToken,
        motd,
        moduleCount: modules.length,
      };
    },
    async *list({ place, isEntryItself }, context) {
      if (place === undefined) {
        yield admin.modules(await port.modules.visibleTo(context.peer));
        return;
      }
      const path = pathOfBytes(place.path, "a path");
      for await (const chunk of admin.run(context, place, { call: "list", path, isEntryItself })) {
        const { entries, issues } = chunk;
        yield { entries: entries.map(entryToWire), issues: issues.map(issueToWire) };
      }
    },
    async *find(request, context) {
      const place = placeOf(request.place);
      const query = findQueryFromWire(request);
      const path = pathOfBytes(place.path, "a path");
      for await (const chunk of admin.run(context, place, { call: "find", path, query })) {
        const { entries, issues, isCutOff } = chunk;
        yield { entries: entries.map(entryToWire), issues: issues.map(issueToWire), isCutOff };
      }
    },
    async *diskUsage(request, context) {
      const place = placeOf(request.place);
      const depth = Math.min(request.depth, depthMax);
      const path = pathOfBytes(place.path, "a path");
      for await (const chunk of admin.run(context, place, { call: "usage", path, depth })) {
        const { usages, issues } = chunk;
        yield { usages: usages.map(usageToWire), issues: issues.map(issueToWire) };
      }
    },
    async filesystemStats(request, context) {
      const place = placeOf(request.place);
      const path = pathOfBytes(place.path, "a path");
      for await (const stats of admin.run(context, place, { call: "stats", path })) {
        return {
          fileSystem: stats.fileSystem,
          totalBytes: BigInt(stats.totalBytes),
          freeBytes: BigInt(stats.freeBytes),
          availableBytes: BigInt(stats.availableBytes),
          totalInodes: BigInt(stats.totalInodes),
          freeInodes: BigInt(stats.freeInodes),
          readOnly: stats.isReadOnly,
        };
      }
      throw new Fault({ code: "E_INTERRUPTED", message: "The call was cancelled" });
    },
    purge: (request, context) => admin.purge(request, context),
  };
}

class Admin {
  readonly #port: AdminPort;

  constructor(port: AdminPort) {
    this.#port = port;
  }

  modules(
    modules: Awaited<ReturnType<ModuleTable["visibleTo"]>>,
  ): MessageInitShape<typeof ListResponseSchema> {
    return {
      modules: modules.map(({ name, comment, readOnly }) => ({ name, comment, readOnly })),
    };
  }

  async *run<Request extends AdminRequest>(
    context: CallContext,
    place: Pick<Place, "module">,
    request: Request,
    access: Access = "read",
  ): AsyncGenerator<AdminAnswers[Request["call"]]> {
    using lease = await this.#port.modules.enter(context.peer, place.module, access);
    yield* runThreaded(lease.base, request, context.signal);
  }

  async *purge(
    request: Parameters<ControlHandlers["purge"]>[0],
    context: CallContext,
  ): ReturnType<ControlHandlers["purge"]> & AsyncGenerator {
    const { paths, agreedEntries, isRecursive, isDryRun } = request;
    if (paths.length === 0 || paths.length > purgePathsMax) {
      throw new Fault({
        code: "E_USAGE",
        message: `Cannot remove ${paths.length} paths in one call: 1 to ${purgePathsMax} can be`,
      });
    }
    const query = {
      paths: paths.map((path) => pathOfBytes(path, "a path")),
      isRecursive,
      isDryRun,
      agreedEntries:
        agreedEntries === undefined ? undefined : safeNumber(agreedEntries, "a number of entries"),
    };
    for await (const chunk of this.run(context, request, { call: "purge", query }, "write")) {
      const { entries, bytes, issues, isDone } = chunk;
      yield {
        entries: BigInt(entries),
        bytes: BigInt(bytes),
        issues: issues.map(issueToWire),
        isDone,
      };
    }
  }
}

/** @throws {Fault} E_USAGE where a request names no place */
function placeOf(place: Place | undefined): Place {
  if (place !== undefined) return place;
  throw new Fault({ code: "E_USAGE", message: "Cannot answer: the request names no place" });
}

import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import type { Printer } from "../../kit/out/printer.ts";
import { formatCount } from "../../kit/text/format.ts";
import { hostPort, looksRemote, parseEndpoint, type ServerEndpoint } from "../endpoint.ts";
import { joinPath } from "../engine/path.ts";
import { textOfName } from "../tree/name-text.ts";
import {
  byBytes,
  type ListedEntry,
  listedEntry,
  listedStatus,
  nameText,
  printEntries,
  printModules,
  shownName,
} from "./entry-rows.ts";
import type { ListArgs } from "./list.ts";
import { Places } from "./places.ts";

type Context = Pick<CommandContext<ListArgs>, "args" | "printer" | "rawPositionals">;

/** What an argument names. */
type Listing =
  | { readonly kind: "entry"; readonly entries: readonly ListedEntry[] }
  | { readonly kind: "folder"; readonly entries: readonly ListedEntry[] }
  | { readonly kind: "server"; print(): void };

/**
 * Lists what the arguments name: of a folder its entries, of a server its modules, of everything
 * else the entry itself.
 *
 * @param namesOnly a name a line and nothing else
 */
export async function run(context: Context, namesOnly = false): Promise<number> {
  const { printer, args } = context;
  const given = context.rawPositionals();
  const paths = given.length === 0 ? ["."] : given;
  using places = new Places({ flags: args, printer });
  const lister = new Lister(printer, places);
  let listed = 0;
  for (const [index, path] of paths.entries()) {
    try {
      const listing = await lister.list(path);
      if (!printer.jsonMode && listing.kind !== "entry" && paths.length > 1) {
        printer.out(`${index === 0 ? "" : "\n"}${shownName(path)}:`);
      }
      if (listing.kind === "server") listing.print();
      else if (namesOnly && !printer.jsonMode) printNames(listing.entries, printer);
      else printEntries(listing.entries, printer);
      listed += 1;
    } catch (error) {
      lister.fail(error);
    }
  }
  if (lister.failed === 0) return 0;
  return listed === 0 ? 1 : 4;
}

function printNames(entries: readonly ListedEntry[], printer: Printer): void {
  for (const entry of entries) printer.out(nameText({ ...entry, target: undefined }, printer));
}

class Lister {
  readonly #printer: Printer;
  readonly #places: Places;
  failed = 0;

  constructor(printer: Printer, places: Places) {
    this.#printer = printer;
    this.#places = places;
  }

  /** Reports what is no bug. */
  fail(error: unknown): void {
    if (!(error instanceof Fault)) throw error;
    this.failed += 1;
    this.#printer.error(error);
  }

  async list(argument: string): Promise<Listing> {
    const server = this.#places.server(argument);
    if (server !== undefined) return this.#modules(server);
    if (looksRemote(argument)) return this.#remote(argument);
    try {
      return this.#local(argument);
    } catch (error) {
      const isMissing = error instanceof Fault && error.code === "E_NOT_FOUND";
      if (!isMissing || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(argument)) throw error;
      return this.#serverOr(argument, error);
    }
  }

  /** What is no local file may be a server's name; whose error counts if it is neither. */
  async #serverOr(argument: string, missing: Fault): Promise<Listing> {
    const endpoint = parseEndpoint(argument);
    if (endpoint.kind !== "server") throw missing;
    try {
      return await this.#modules(endpoint);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "E_NETWORK") throw error;
      throw new Fault({
        code: missing.code,
        message: missing.message,
        hint: `no server of that name answers at "${hostPort(endpoint)}" either`,
        details: missing.details,
      });
    }
  }

  async #modules(endpoint: ServerEndpoint): Promise<Listing> {
    const client = await this.#places.connect(endpoint);
    const { listModules } = await import("../admin/remote-source.ts");
    const { motd } = await client.ping({});
    const modules = await listModules(client);
    const { host, port } = endpoint;
    const bracketed = host.includes(":") ? `[${host}]` : host;
    const server = port === 9031 ? bracketed : hostPort(endpoint);
    return {
      kind: "server",
      print: () => {
        if (motd !== "") this.#printer.note(shownName(Buffer.from(motd).toString("latin1")));
        printModules(modules, server, this.#printer);
        if (modules.length === 0) {
          this.#printer.note(
            `No modules are open to you; "${server}://" may be its default export`,
          );
        }
      },
    };
  }

  async #remote(argument: string): Promise<Listing> {
    const place = await this.#places.open(argument);
    const entries: ListedEntry[] = [];
    let issues = 0;
    let isEntry = false;
    for await (const chunk of place.source.run({
      call: "list",
      path: place.path,
      isEntryItself: false,
    })) {
      for (const entry of chunk.entries) {
        isEntry = entry.path === "";
        const path = isEntry ? argument : joinPath(argument, entry.path);
        entries.push(listedEntry(entry, path, isEntry ? argument : entry.path));
      }
      for (const issue of chunk.issues) {
        issues += 1;
        this.#printer.warn(issue.message);
      }
    }
    if (issues > 0) {
      this.fail(new Fault({ code: "E_PARTIAL", message: partialText(argument, issues) }));
    }
    entries.sort((a, b) => byBytes(a.name, b.name));
    return { kind: isEntry ? "entry" : "folder", entries };
  }

  #local(path: string): Listing {
    const root = readEntry(path, path);
    if (root.type !== "folder") return { kind: "entry", entries: [root] };
    return { kind: "folder", entries: this.#readFolder(path) };
  }

  #readFolder(path: string): ListedEntry[] {
    const entries: ListedEntry[] = [];
    // Without withFileTypes: Bun mixes that up with buffers (oven-sh/bun#27914).
    const names = attempt("list", path, () => readdirSync(bytesOf(path), { encoding: "buffer" }));
    const sorted = names.map((name) => name.toString("latin1")).sort(byBytes);
    const prefix = path.endsWith("/") ? path : `${path}/`;
    for (const name of sorted) {
      try {
        entries.push(readEntry(prefix + name, name));
      } catch (error) {
        this.fail(error);
      }
    }
    return entries;
  }
}

function partialText(argument: string, issues: number): string {
  return `Cannot list all of "${textOfName(argument)}": ${formatCount(issues, "problem")}`;
}

function readEntry(path: string, name: string): ListedEntry {
  const status = attempt("read", path, () => lstatSync(bytesOf(path), { bigint: true }));
  const target = status.isSymbolicLink()
    ? attempt("read", path, () => readlinkSync(bytesOf(path), { encoding: "buffer" }))
    : undefined;
  return listedStatus(status, { path, name, target: target?.toString("latin1") });
}

function bytesOf(latin1: string): Buffer {
  return Buffer.from(latin1, "latin1");
}

/** Runs a call; its failure becomes a fault that says what was done to which path. */
function attempt<T>(action: "list" | "read", path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? "";
    throw new Fault({
      code: errno === "ENOENT" || errno === "ENOTDIR" ? "E_NOT_FOUND" : "E_IO",
      message: `Cannot ${action} "${textOfName(path)}": ${reasonOf(error)}`,
      details: { errno },
    });
  }
}

import type { AdminSource } from "../admin/source.ts";
import type { ControlClient } from "../control/client.ts";
import {
  hostPort,
  looksRemote,
  parseEndpoint,
  parsePlace,
  type ServerEndpoint,
} from "../endpoint.ts";
import { joinPath } from "../engine/path.ts";
import { type ConnectionWishes, connectDaemon } from "./connect.ts";

/** A place of the command line and who answers for it. Everything is latin1. */
export type CliPlace = {
  readonly source: AdminSource;
  /** As the source takes it. */
  readonly path: string;
  readonly typed: string;
};

/** The places of a command, with one connection for each server that they are on. */
export class Places implements Disposable {
  readonly #wishes: ConnectionWishes;
  readonly #clients = new Map<string, Promise<ControlClient>>();
  readonly #sources = new Map<string, AdminSource>();

  constructor(wishes: ConnectionWishes) {
    this.#wishes = wishes;
  }

  /**
   * Who answers for an argument.
   *
   * @throws {Fault} E_USAGE for a server without a place; what connecting to it meets
   */
  async open(argument: string): Promise<CliPlace> {
    if (!looksRemote(argument)) {
      const { localSource } = await import("../admin/local-source.ts");
      const source = this.#sourceOf("", localSource);
      return { source, path: argument, typed: argument };
    }
    const place = parsePlace(argument);
    const client = await this.connect(place);
    const { remoteSource } = await import("../admin/remote-source.ts");
    const source = this.#sourceOf(`${hostPort(place)}/${place.module}`, () =>
      remoteSource(client, place.module),
    );
    return { source, path: place.path, typed: argument };
  }

  /** The server that an argument names without any place on it; undefined: something else. */
  server(argument: string): ServerEndpoint | undefined {
    const endpoint = looksRemote(argument) ? parseEndpoint(argument) : undefined;
    return endpoint?.kind === "server" ? endpoint : undefined;
  }

  /** The connection to a server. @throws {Fault} */
  connect(endpoint: { readonly host: string; readonly port: number }): Promise<ControlClient> {
    const name = hostPort(endpoint);
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const { host, port } = endpoint;
    const client = connectDaemon({ host, port }, this.#wishes);
    this.#clients.set(name, client);
    return client;
  }

  #sourceOf(name: string, make: () => AdminSource): AdminSource {
    const source = this.#sources.get(name) ?? make();
    this.#sources.set(name, source);
    return source;
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) {
      void client.then(
        (connected) => connected.close(),
        () => {},
      );
    }
  }
}

/** An entry below a place, as a user would type it. */
export function shownBelow(place: Pick<CliPlace, "typed">, path: string): string {
  if (path === "") return place.typed;
  return place.typed === "." ? path : joinPath(place.typed, path);
}

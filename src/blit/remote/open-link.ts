import { AT } from "../../../ffi/abi/constants.ts";
import type { FaultCode } from "../../kit/fault/codes.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { ControlClient } from "../control/client.ts";
import { hostPort, type PlaceEndpoint } from "../endpoint.ts";
import { openDelegated } from "./delegated-link.ts";
import type { Link, LinkRequest } from "./link.ts";
import { openPull } from "./pull-link.ts";
import { openPush } from "./push-link.ts";
import { openRelay } from "./relay-link.ts";
import { type RemoteSources, type Route, sessionPath } from "./route.ts";

type Server = { readonly host: string; readonly port: number };

/** How daemons are connected to, by what the user has said about certificates and tokens. */
export type Dialler = {
  connect(server: Server): Promise<ControlClient>;
  /** What the server is told to let its caller in; undefined: nothing. */
  token(server: Server): Promise<string | undefined>;
};

/** A link with the connections that it goes over. */
export type OpenLink = { readonly link: Link; close(): Promise<void> };

/**
 * Opens the link that a route asks for.
 * @throws {Fault} of the connections, of either side
 */
export async function openLink(
  route: Route,
  dialler: Dialler,
  request: LinkRequest,
): Promise<OpenLink> {
  const clients: ControlClient[] = [];
  const connect = async (server: Server): Promise<ControlClient> => {
    const client = await dialler.connect(server);
    clients.push(client);
    return client;
  };
  const closeAll = (): void => {
    for (const client of clients) client.close();
  };
  try {
    const link = await openOver(route, { ...dialler, connect }, request);
    return {
      link,
      close: async () => {
        try {
          await link.close();
        } finally {
          closeAll();
        }
      },
    };
  } catch (error) {
    closeAll();
    throw error;
  }
}

async function openOver(route: Route, dialler: Dialler, request: LinkRequest): Promise<Link> {
  switch (route.kind) {
    case "push":
      return openPush(await dialler.connect(route.target), route.sources, route.target, request);
    case "pull": {
      const { from } = route;
      const sources = { module: from.module, paths: from.places.map(sessionPath) };
      const target = { base: { fd: AT.FDCWD, resolve: 0 }, path: route.target };
      return openPull(await dialler.connect(from), sources, target, request);
    }
    case "between":
      return openBetween(route, dialler, request);
  }
}

type Between = { readonly from: RemoteSources; readonly target: PlaceEndpoint };

async function openBetween(places: Between, dialler: Dialler, request: LinkRequest): Promise<Link> {
  // Both are asked who they are here: the target's daemon has nobody to ask about the source's.
  const source = await dialler.connect(places.from);
  const target = await dialler.connect(places.target);
  const { address, certificateSha256 } = source;
  const token = await dialler.token(places.from);
  try {
    return await openDelegated(target, places, { address, certificateSha256, token }, request);
  } catch (error) {
    if (!(error instanceof Fault) || !asksForRelay.has(error.code)) throw error;
    const link = await openRelay({ source, target }, places, request);
    const [from, to] = [hostPort(places.from), hostPort(places.target)];
    request.warn(
      `"${to}" cannot fetch from "${from}" by itself (${error.message}): everything goes through ` +
        "this machine, which is slower",
      "let the two daemons reach each other, and the target's daemon pull from others",
    );
    return link;
  }
}

/** What keeps one daemon from another, but not this machine from both. */
const asksForRelay: ReadonlySet<FaultCode> = new Set<FaultCode>([
  "E_NETWORK",
  "E_STALL",
  "E_AUTH",
  "E_REFUSED",
  "E_NOT_BUILT",
]);

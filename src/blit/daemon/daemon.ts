import { readFileSync } from "node:fs";
import { Fault } from "../../kit/fault/fault.ts";
import { parseTokenTable, type TokenTable } from "../control/bearer-tokens.ts";
import type { ControlHandlers } from "../control/calls.ts";
import { hostAndPort, isLoopback } from "../control/peer-address.ts";
import { type ControlEvent, type ControlServer, startControlServer } from "../control/server.ts";
import { createAdminHandlers } from "./admin/handlers.ts";
import type { DaemonLog } from "./daemon-log.ts";
import { type DaemonTls, daemonTls } from "./daemon-tls.ts";
import { DataPlane } from "./data-plane.ts";
import { isHostRefusedOutright } from "./host-rules.ts";
import { createJobHandlers } from "./job-handlers.ts";
import { JobTable } from "./jobs.ts";
import { ModuleTable } from "./modules.ts";
import type { DaemonSettings } from "./settings.ts";
import type { HandedOver } from "./socket-activation.ts";
import { createTransferHandlers } from "./transfer-handlers.ts";
import { sessionWorkers } from "./transfer-host.ts";

/** What a daemon is started with. */
export type DaemonOptions = {
  readonly settings: DaemonSettings;
  readonly log: DaemonLog;
  /** Listening sockets that somebody else has opened. */
  readonly sockets?: HandedOver;
};

/** A daemon that listens. */
export type RunningDaemon = {
  /** Numeric, as bound. */
  readonly address: string;
  readonly port: number;
  readonly dataPort: number;
  readonly jobs: JobTable;
  /** Takes over what can change while it runs. */
  reload(settings: DaemonSettings): Promise<void>;
  /** Takes no more calls, waits for the transfers that run, and ends what is left then. */
  drain(forMs: number): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
};

/**
 * Starts a daemon in this process.
 *
 * @throws {Fault} E_NETWORK where it cannot listen; E_CONFIG, E_IO for its files
 */
export async function startDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  const daemon = new Daemon(options);
  await daemon.start();
  return daemon;
}

class Daemon implements RunningDaemon {
  readonly jobs = new JobTable();
  readonly #log: DaemonLog;
  readonly #sockets: HandedOver;
  readonly #modules: ModuleTable;
  readonly #workers = sessionWorkers();
  #settings: DaemonSettings;
  #control: ControlServer | undefined;
  #data: DataPlane | undefined;
  #advertisement: Promise<{ stop(): Promise<void> } | undefined> | undefined;

  constructor({ settings, log, sockets }: DaemonOptions) {
    this.#settings = settings;
    this.#log = log;
    this.#sockets = sockets ?? { control: undefined, data: undefined };
    this.#modules = new ModuleTable(settings.modules, settings.hosts);
  }

  get address(): string {
    return this.#control?.address ?? "";
  }

  get port(): number {
    return this.#control?.port ?? 0;
  }

  get dataPort(): number {
    return this.#data?.port ?? 0;
  }

  async start(): Promise<void> {
    const tokens = readTokens(this.#settings);
    this.#control = await this.#listen(tokens);
    try {
      this.#data = this.#openData(this.#control.address);
    } catch (error) {
      await this.#control.close();
      throw error;
    }
    this.#warn();
    this.#advertise();
  }

  async reload(settings: DaemonSettings): Promise<void> {
    const tokens = readTokens(settings);
    this.#control?.setTokens(tokens);
    this.#modules.replace(settings.modules, settings.hosts);
    // What a module was until now shall be nowhere any more.
    for (const workers of Object.values(this.#workers)) workers.clear();
    const before = this.#settings;
    this.#settings = settings;
    if (JSON.stringify(fixedOf(before)) !== JSON.stringify(fixedOf(settings))) {
      this.#log.warn("Addresses, ports, TLS and mDNS stay as they are until a new start of blitd");
    }
    this.#log.note(`Read the configuration again: ${settings.modules.length} modules`);
  }

  async drain(forMs: number): Promise<void> {
    this.#control?.drain();
    if (this.jobs.running > 0) {
      this.#log.note(`Waiting for ${this.jobs.running} transfers, at most ${forMs / 1000} s`);
    }
    await within(forMs, this.jobs.whenIdle());
    if (this.jobs.running > 0) {
      this.#log.warn(`Ending ${this.jobs.running} transfers that are not done`);
      this.jobs.cancelAll();
      await within(endingMs, this.jobs.whenIdle());
    }
    await this.#lastWords();
    await this.close();
  }

  /** The ends of calls are still on their way; whose calls have ended closes the connection. */
  async #lastWords(): Promise<void> {
    const until = performance.now() + lastWordsMs;
    while ((this.#control?.connections() ?? 0) > 0 && performance.now() < until) await after(10);
  }

  async close(): Promise<void> {
    const advertisement = this.#advertisement;
    this.#advertisement = undefined;
    void advertisement?.then((one) => one?.stop());
    this.jobs.cancelAll();
    await this.#control?.close();
    this.#data?.close();
    this.#data = undefined;
    for (const workers of Object.values(this.#workers)) workers.close();
  }

  async #listen(tokens: TokenTable | undefined): Promise<ControlServer> {
    const { bind, port, connectionsMax } = this.#settings;
    const { control } = this.#sockets;
    const tls = daemonTls(this.#settings, process.env);
    if (tls !== undefined) this.#tellCertificate(tls);
    const start = (host: string): Promise<ControlServer> =>
      startControlServer({
        listen: control === undefined ? { host, port } : { fd: control },
        ...(tokens === undefined ? {} : { tokens }),
        ...(tls === undefined ? {} : { tls }),
        handlers: this.#handlers(),
        admit: ({ address }) => !isHostRefusedOutright(this.#settings.hosts, address),
        limits: { connectionsMax },
        onEvent: (event) => this.#tell(event),
      });
    try {
      return await start(bind);
    } catch (error) {
      // A machine without IPv6 has no "::".
      if (bind !== "::" || !hasNoFamily(error)) throw error;
      return start("0.0.0.0");
    }
  }

  #openData(address: string): DataPlane {
    const { data } = this.#sockets;
    const where = data === undefined ? { address, port: this.#settings.dataPort } : { fd: data };
    return new DataPlane(where, (from, reason) =>
      this.#log.note(`Refused a data connection from ${from}: its token is ${reason}`),
    );
  }

  #handlers(): ControlHandlers {
    const modules = this.#modules;
    return {
      ...createAdminHandlers({
        modules,
        settings: () => ({
          motd: this.#settings.motd,
          requiresToken: this.#settings.tokenFile !== undefined,
        }),
      }),
      ...createJobHandlers({ modules, jobs: this.jobs }),
      ...createTransferHandlers({
        modules,
        jobs: this.jobs,
        log: this.#log,
        workers: this.#workers,
        data: () => this.#dataPlane(),
        delegation: () => this.#settings.delegation,
      }),
    };
  }

  /** Beside everything else: nobody waits for it, and the daemon serves without it too. */
  #advertise(): void {
    const { isAdvertised, mdnsName, tls, tokenFile } = this.#settings;
    // Nobody else could reach what listens on this machine only.
    if (!isAdvertised || isLoopback(this.address)) return;
    const txt = { tls: tls.enabled ? "1" : "0", token: tokenFile === undefined ? "0" : "1" };
    this.#advertisement = import("../discover/mdns.ts")
      .then(({ advertise }) =>
        advertise({ name: mdnsName, port: this.port, txt, boundTo: this.address }),
      )
      .then((advertisement) => {
        this.#log.verbose(`Advertised as "${advertisement.name}"`);
        return advertisement;
      })
      .catch((error: unknown) => {
        this.#log.verbose(`Not advertised: ${textOf(error)}`);
        return undefined;
      });
  }

  #dataPlane(): DataPlane {
    if (this.#data !== undefined) return this.#data;
    throw new Fault({ code: "E_TERMINATED", message: "The daemon is shutting down" });
  }

  #tellCertificate({ certificateSha256, madeIn }: DaemonTls): void {
    if (madeIn !== undefined) this.#log.note(`Made a certificate of its own in "${madeIn}"`);
    this.#log.note(`Certificate: SHA256:${certificateSha256}`);
  }

  #warn(): void {
    const { settings, log } = { settings: this.#settings, log: this.#log };
    const where = hostAndPort(this.address, this.port);
    log.note(`Listening on ${where}, for data on port ${this.dataPort}`);
    const [first] = settings.modules;
    if (settings.hasImplicitRoot && first !== undefined) {
      log.warn(
        `There are no modules: the working folder "${first.path}" is offered as server://`,
        "name a folder with --root, or modules in the configuration",
      );
    }
    const isOpen = settings.tokenFile === undefined && settings.tls.client_ca === undefined;
    if (!isLoopback(this.address) && (isOpen || !settings.tls.enabled)) {
      const what = isOpen
        ? "Whoever reaches this machine may use its modules: neither tokens nor certificates"
        : "Tokens and files travel unencrypted beyond this machine: TLS is off";
      log.warn(what, "see token_file and [daemon.tls] in the configuration, or --bind 127.0.0.1");
    }
    for (const { name, users } of settings.modules) {
      if (users !== undefined && isOpen) {
        log.warn(`Nobody can use the module "${name}": it is for users, and there are none`);
      }
    }
  }

  #tell(event: ControlEvent): void {
    switch (event.kind) {
      case "bug":
        this.#log.warn(`The call ${event.call} met a bug: ${textOf(event.error)}`);
        return;
      case "handshake-failed":
        this.#log.verbose(`A handshake failed: ${event.reason}`);
        return;
      case "refused":
      case "dismissed":
        this.#log.verbose(`Sent ${event.address} away: ${event.reason}`);
    }
  }
}

/** What a running daemon does not change. */
function fixedOf({ bind, port, dataPort, tls, connectionsMax, isAdvertised }: DaemonSettings) {
  return { bind, port, dataPort, tls, connectionsMax, isAdvertised };
}

/** So long the transfers have to give back what they hold, once they were told to end. */
const endingMs = 5000;

/** So long clients have to take the end of their calls. */
const lastWordsMs = 1000;

/** Waits for something, but not longer. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: Timer | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function hasNoFamily(error: unknown): boolean {
  const cause = error instanceof Fault ? (error.cause as NodeJS.ErrnoException) : undefined;
  return cause?.code === "EAFNOSUPPORT" || cause?.code === "EADDRNOTAVAIL";
}

/** @throws {Fault} E_IO where there is no such file, E_CONFIG where it is not understood */
function readTokens({ tokenFile }: DaemonSettings): TokenTable | undefined {
  if (tokenFile === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(tokenFile, "utf8");
  } catch (cause) {
    throw new Fault({ code: "E_IO", message: `Cannot read the tokens in "${tokenFile}"`, cause });
  }
  return parseTokenTable(text, tokenFile);
}

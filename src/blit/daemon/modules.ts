import { AT, O } from "../../../ffi/abi/constants.ts";
import { RESOLVE } from "../../../ffi/abi/open-how.ts";
import { errno, errnoText } from "../../../ffi/errno.ts";
import { Memory, writeCString } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { Peer } from "../control/calls.ts";
import type { Base } from "../session/types.ts";
import { type HostRules, isHostAllowed } from "./host-rules.ts";

/** A folder that is offered; the one without name is `server://`. */
export type ModuleSettings = {
  readonly name: string;
  readonly path: string;
  readonly comment: string;
  readonly readOnly: boolean;
  readonly useChroot: boolean;
  readonly runAs: { readonly uid: number; readonly gid: number } | undefined;
  /** Names of tokens, or "sha256:…" of certificates; undefined: whoever may connect. */
  readonly users: readonly string[] | undefined;
  readonly hosts: HostRules;
  readonly connectionsMax: number;
};

/** What a call does to a module. */
export type Access = "read" | "write";

/**
 * A module while a call uses it: `using lease = await modules.enter(…)`. Every path goes through
 * `base`, whose flags keep the kernel from leaving the folder.
 */
export type ModuleLease = Disposable & {
  readonly module: ModuleSettings;
  readonly base: Base;
};

const everybody: HostRules = { allow: undefined, deny: [] };

/** The modules of a daemon, and who may use which. */
export class ModuleTable {
  #modules: ReadonlyMap<string, ModuleSettings>;
  #hosts: HostRules;
  readonly #users = new Map<string, number>();

  /** @param hosts who may use any module at all */
  constructor(modules: readonly ModuleSettings[], hosts: HostRules = everybody) {
    this.#modules = byName(modules);
    this.#hosts = hosts;
  }

  /** Takes over the modules of a changed config; running calls keep what they have. */
  replace(modules: readonly ModuleSettings[], hosts: HostRules): void {
    this.#modules = byName(modules);
    this.#hosts = hosts;
  }

  /** The modules with a name that the caller may use, in the order of the config. */
  async visibleTo(peer: Peer): Promise<ModuleSettings[]> {
    const visible: ModuleSettings[] = [];
    for (const module of this.#modules.values()) {
      if (module.name !== "" && (await this.#mayUse(module, peer))) visible.push(module);
    }
    return visible;
  }

  /** Whether the caller may see what happens in a module. */
  async isVisible(name: string, peer: Peer): Promise<boolean> {
    const module = this.#modules.get(name);
    return module !== undefined && (await this.#mayUse(module, peer));
  }

  /**
   * Lets a caller into a module.
   *
   * @throws {Fault} E_NOT_FOUND: none of that name, or none for this host; E_AUTH: not for this
   *   user; E_REFUSED: read-only or full; E_IO: its folder cannot be opened
   */
  async enter(peer: Peer, name: string, access: Access): Promise<ModuleLease> {
    const module = this.#modules.get(name);
    // A host that is not let in learns no more than that.
    if (module === undefined || !(await this.#isHostAllowed(module, peer))) {
      throw unknownModule(name);
    }
    if (!isUser(module, peer)) {
      throw new Fault({
        code: "E_AUTH",
        message: `Cannot use ${called(name)}: it is not open to you`,
        hint: "ask its operator for a token or a certificate",
      });
    }
    if (access === "write" && module.readOnly) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot change ${called(name)}: it is read-only`,
      });
    }
    return this.#lend(module);
  }

  async #mayUse(module: ModuleSettings, peer: Peer): Promise<boolean> {
    return isUser(module, peer) && (await this.#isHostAllowed(module, peer));
  }

  async #isHostAllowed(module: ModuleSettings, { address }: Peer): Promise<boolean> {
    return (
      (await isHostAllowed(this.#hosts, address)) && (await isHostAllowed(module.hosts, address))
    );
  }

  #lend(module: ModuleSettings): ModuleLease {
    const count = this.#users.get(module.name) ?? 0;
    if (count >= module.connectionsMax) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot use ${called(module.name)}: ${count} transfers use it already`,
        hint: "try again later",
      });
    }
    const base = openBase(module);
    this.#users.set(module.name, count + 1);
    let isOpen = true;
    return {
      module,
      base,
      [Symbol.dispose]: () => {
        if (!isOpen) return;
        isOpen = false;
        sys.close(base.fd);
        this.#users.set(module.name, (this.#users.get(module.name) ?? 1) - 1);
      },
    };
  }
}

/** How a module is called in messages. */
export function called(name: string): string {
  return name === "" ? "the default export" : `the module "${name}"`;
}

/** The users of token files and certificates that a peer has proved to be. */
export function identitiesOf(peer: Peer): readonly string[] {
  const identities = peer.tokenName === undefined ? [] : [peer.tokenName];
  return peer.certificateSha256 === undefined
    ? identities
    : [...identities, `sha256:${peer.certificateSha256}`];
}

function byName(modules: readonly ModuleSettings[]): Map<string, ModuleSettings> {
  return new Map(modules.map((module) => [module.name, module]));
}

/** An empty list is nobody. */
function isUser(module: ModuleSettings, peer: Peer): boolean {
  if (module.users === undefined) return true;
  const identities = identitiesOf(peer);
  return module.users.some((user) => identities.includes(user.replace(/^sha256:.*/, lowerHex)));
}

/** Fingerprints are written with colons and capitals too. */
function lowerHex(fingerprint: string): string {
  return `sha256:${fingerprint.slice("sha256:".length).replaceAll(":", "").toLowerCase()}`;
}

function unknownModule(name: string): Fault {
  return new Fault({
    code: "E_NOT_FOUND",
    message:
      name === ""
        ? 'Cannot open "//": the daemon has no default export'
        : `Cannot open the module "${name}": there is none of that name`,
    hint: "blit list SERVER shows the modules",
  });
}

const pathBytesMax = 4096;

/** Opens the folder of a module. Its path is the operator's: links in it are followed. */
function openBase(module: ModuleSettings): Base {
  const path = Buffer.from(module.path).toString("latin1");
  if (path.length >= pathBytesMax) throw cannotOpen(module, errno.ENAMETOOLONG);
  scratch ??= new Memory(pathBytesMax);
  writeCString(scratch.bytes, 0, path);
  const flags = O.RDONLY | O.DIRECTORY | O.CLOEXEC;
  const fd = sys.openat(AT.FDCWD, scratch.pointer, flags, 0);
  if (fd < 0) throw cannotOpen(module, -fd);
  const resolve = module.useChroot ? RESOLVE.IN_ROOT : RESOLVE.BENEATH;
  const isRoot = process.geteuid?.() === 0;
  return {
    fd,
    resolve: resolve | RESOLVE.NO_MAGICLINKS,
    confine:
      isRoot && (module.useChroot || module.runAs !== undefined)
        ? { chroot: module.useChroot, ...module.runAs }
        : undefined,
  };
}

let scratch: Memory | undefined;

/** The path is the operator's business: it is in the log, not in the message. */
function cannotOpen(module: ModuleSettings, error: number): Fault {
  return new Fault({
    code: error === errno.ENOENT ? "E_NOT_FOUND" : "E_IO",
    message: `Cannot open the folder of ${called(module.name)}: ${errnoText(error)}`,
    details: { path: module.path },
  });
}

import { suggest } from "../../kit/cli/suggest.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { type AccountPlan, type AccountTexts, idRangesOf, planAccounts } from "./accounts.ts";
import { type HomePlan, type HomeView, planHome } from "./homes.ts";
import { folderSteps, type RootStep, type RootView } from "./root-view.ts";
import { planServices } from "./service-links.ts";
import {
  declaredLocales,
  hostnameOf,
  localesOf,
  repositoriesOf,
  variableOf,
  withLocales,
  withRepositories,
  withVariable,
} from "./setting-texts.ts";
import type { ConfigurationArea, ConfigurationChange, SystemConfig } from "./types.ts";

/** Where a system keeps what it was declared as. */
export const SYSTEM_TEXT_PATH = "etc/rastos/system.toml";

/** Where home folders are: some systems share them between snapshots. */
export interface HomePlaces {
  /** Absolute paths of the home folders that are there, with their owners. */
  owners(): ReadonlyMap<string, number>;
  /** A home folder to look into; undefined where there is none. */
  inside(home: string): HomeView | undefined;
}

/** What a configuration is planned from. */
export interface ConfigurationRequest {
  readonly config: SystemConfig;
  /** What the root was declared as before. */
  readonly previous: SystemConfig | undefined;
  /** To be kept as {@link SYSTEM_TEXT_PATH}. */
  readonly systemText: string | undefined;
  readonly homes: HomePlaces;
  /** Days since 1970. */
  readonly today: number;
}

/** What it takes to bring a root in line with a declaration. */
export interface ConfigurationPlan {
  readonly changes: readonly ConfigurationChange[];
  readonly steps: readonly RootStep[];
  readonly homes: readonly HomePlan[];
  /** Programs that are to be run in the root afterwards. */
  readonly programs: readonly (readonly string[])[];
  readonly notes: readonly string[];
  /** Services that are to be enabled and that there are not. */
  readonly missingServices: readonly string[];
}

/**
 * Finds out what to do in a root, packages and kernel apart. Looks, and changes nothing.
 *
 * @throws {Fault} E_NOT_FOUND for a time zone that the root does not know; E_REFUSED for a number
 *   that somebody else has
 */
export function planConfiguration(
  view: RootView,
  request: ConfigurationRequest,
): ConfigurationPlan {
  return new Planning(view, request).run();
}

class Planning {
  readonly #view: RootView;
  readonly #request: ConfigurationRequest;
  readonly #changes: ConfigurationChange[] = [];
  readonly #steps: RootStep[] = [];
  readonly #notes: string[] = [];
  readonly #programs: (readonly string[])[] = [];

  constructor(view: RootView, request: ConfigurationRequest) {
    this.#view = view;
    this.#request = request;
  }

  run(): ConfigurationPlan {
    const { config, previous } = this.#request;
    this.#hostname();
    this.#locale();
    this.#timezone();
    this.#keymap();
    this.#repositories();
    this.#kernelCommandLine();
    const { accounts } = this.#accounts();
    const services = planServices(this.#view, config.services, previous?.services);
    this.#changes.push(...services.changes);
    this.#steps.push(...services.steps);
    this.#notes.push(...services.notes);
    const homes = accounts.flatMap((account) => {
      const user = config.users.find((one) => one.name === account.name);
      if (user === undefined) return [];
      const inside = this.#request.homes.inside(account.home);
      return [planHome(this.#view, inside, { account, user })];
    });
    const busy = homes.filter((home) => home.changes.length > 0);
    this.#changes.push(...busy.flatMap((home) => home.changes));
    this.#systemText();
    return {
      changes: this.#changes,
      steps: this.#steps,
      homes: busy,
      programs: this.#programs,
      notes: this.#notes,
      missingServices: services.missing,
    };
  }

  /** A file that is to have this text. */
  #file(area: ConfigurationArea, path: string, content: string, text: string): boolean {
    const old = this.#view.readText(path);
    if (old === content) return false;
    this.#steps.push(...folderSteps(this.#view, path), { kind: "file", path, content });
    this.#changes.push({ area, path, action: old === undefined ? "create" : "change", text });
    return true;
  }

  #hostname(): void {
    const { hostname } = this.#request.config.system;
    if (hostname === undefined) return;
    const path = "etc/hostname";
    const old = hostnameOf(this.#view.readText(path));
    if (old === hostname) return;
    this.#file("hostname", path, `${hostname}\n`, changeText("host name", old, hostname));
  }

  #locale(): void {
    const { config, previous } = this.#request;
    const { locale } = config.system;
    const wanted = declaredLocales(config);
    const before = previous === undefined ? [] : declaredLocales(previous);
    const dropped = before.filter((name) => !wanted.includes(name));
    const generated = this.#view.readText("etc/locale.gen");
    const on = localesOf(generated);
    const adding = wanted.filter((name) => !on.includes(name));
    const removing = dropped.filter((name) => on.includes(name));
    if (adding.length + removing.length > 0) {
      const words = [...adding.map((name) => `+${name}`), ...removing.map((name) => `-${name}`)];
      const text = withLocales(generated, adding, removing);
      this.#file("locale", "etc/locale.gen", text, `locales ${words.join(" ")}`);
      this.#programs.push(["locale-gen"]);
    }
    if (locale !== undefined) this.#variable("locale", "etc/locale.conf", ["LANG", locale]);
  }

  #keymap(): void {
    const { keymap } = this.#request.config.system;
    if (keymap === undefined) return;
    this.#variable("keymap", "etc/vconsole.conf", ["KEYMAP", keymap]);
  }

  #variable(
    area: ConfigurationArea,
    path: string,
    [name, value]: readonly [name: string, value: string],
  ): void {
    const old = this.#view.readText(path);
    const before = variableOf(old, name);
    if (before === value) return;
    this.#file(area, path, withVariable(old, name, value), changeText(area, before, value));
  }

  #timezone(): void {
    const { timezone } = this.#request.config.system;
    if (timezone === undefined) return;
    const zones = "usr/share/zoneinfo";
    const target = `../${zones}/${timezone}`;
    const old = this.#view.readLink("etc/localtime");
    if (old === target || old === `/${zones}/${timezone}`) return;
    if (this.#view.status(zones, { follow: true }) === undefined) {
      this.#notes.push(`the time zone ${timezone} has no effect before tzdata is installed`);
    } else if (this.#view.status(`${zones}/${timezone}`, { follow: true })?.kind !== "file") {
      throw unknownZone(timezone, this.#view, zones);
    }
    const path = "etc/localtime";
    const before = old?.replace(/^.*zoneinfo\//, "");
    const action = this.#view.status(path) === undefined ? "create" : "change";
    this.#steps.push(...folderSteps(this.#view, path), { kind: "link", path, target });
    const text = changeText("time zone", before, timezone);
    this.#changes.push({ area: "timezone", path, action, text });
  }

  #repositories(): void {
    const { repositories } = this.#request.config;
    if (repositories.length === 0) return;
    const path = "etc/pacman.conf";
    const old = this.#view.readText(path);
    const wanted = withRepositories(old, repositories);
    const before = repositoriesOf(old);
    const same = (name: string): boolean => {
      const found = before.find((one) => one.name === name);
      const one = repositories.find((repository) => repository.name === name);
      return (
        found !== undefined &&
        one !== undefined &&
        found.servers.join("\n") === one.servers.join("\n") &&
        found.signatureLevel === one.siglevel
      );
    };
    const names = repositories.map(({ name }) => name);
    const added = names.filter((name) => !before.some((one) => one.name === name));
    const changed = names.filter((name) => !added.includes(name) && !same(name));
    const removed = before.map(({ name }) => name).filter((name) => !names.includes(name));
    const words = [
      ...added.map((name) => `+${name}`),
      ...changed.map((name) => `~${name}`),
      ...removed.map((name) => `-${name}`),
    ];
    const what = words.length === 0 ? "in another order" : words.join(" ");
    this.#file("repositories", path, wanted, `repositories ${what}`);
  }

  /** Read when a snapshot is deployed, also by hand. */
  #kernelCommandLine(): void {
    const { config, previous } = this.#request;
    const { cmdline } = config.kernel;
    const path = "etc/kernel/cmdline";
    if (cmdline !== undefined) {
      this.#file("kernel", path, `${cmdline}\n`, `kernel's command line ${cmdline}`);
    } else if (previous?.kernel.cmdline !== undefined && this.#view.status(path) !== undefined) {
      this.#steps.push({ kind: "remove", path });
      this.#changes.push({ area: "kernel", path, action: "remove", text: "no command line" });
    }
  }

  #accounts(): AccountPlan {
    const { config, previous, homes, today } = this.#request;
    const texts = readAccountTexts(this.#view);
    const plan = planAccounts(texts, {
      users: config.users,
      previous: previous?.users.map(({ name }) => name) ?? [],
      ranges: idRangesOf(this.#view.readText("etc/login.defs")),
      homeOwners: homes.owners(),
      shell: this.#shell(),
      today,
    });
    this.#steps.push(...accountSteps(this.#view, plan));
    const [problem] = plan.problems;
    if (problem !== undefined) {
      throw new Fault({ code: "E_REFUSED", message: `Cannot change accounts: ${problem}` });
    }
    this.#notes.push(...plan.notes);
    for (const { kind, action, name, details } of plan.changes) {
      const verb = { create: "add", change: "change", remove: "remove" }[action];
      const area = kind === "user" ? "users" : "groups";
      const path = kind === "user" ? "etc/passwd" : "etc/group";
      const text = `${verb} the ${kind} ${name}: ${details.join(", ")}`;
      this.#changes.push({ area, path, action, text });
    }
    return plan;
  }

  #shell(): string {
    const bash =
      this.#view.status("usr/bin/bash", { follow: true }) ??
      this.#view.status("bin/bash", { follow: true });
    return bash === undefined ? "/bin/sh" : "/bin/bash";
  }

  #systemText(): void {
    const { systemText, config, previous } = this.#request;
    // A comment is no difference.
    if (systemText === undefined || Bun.deepEquals(previous, config)) return;
    const path = SYSTEM_TEXT_PATH;
    const old = this.#view.readText(path);
    if (old === systemText) return;
    // It may hold hashes of passwords.
    const rights = { mode: 0o600, uid: 0, gid: 0 };
    const file = { kind: "file", path, content: systemText, rights } as const;
    this.#steps.push(...folderSteps(this.#view, path), file);
    const action = old === undefined ? "create" : "change";
    this.#changes.push({ area: "system.toml", path, action, text: "keep the new system.toml" });
  }
}

/** The four files of accounts. */
export function readAccountTexts(view: Pick<RootView, "read">, folder = "etc"): AccountTexts {
  const read = (name: string): string | undefined => {
    const bytes = view.read(`${folder}/${name}`);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString("latin1");
  };
  return {
    passwd: read("passwd"),
    shadow: read("shadow"),
    group: read("group"),
    gshadow: read("gshadow"),
  };
}

/**
 * The steps that write the files of accounts: an account is in passwd only while all else of it is
 * there, also after a crash in between.
 */
export function accountSteps(view: RootView, plan: AccountPlan): RootStep[] {
  const isRemoval = plan.changes.some(({ action }) => action === "remove");
  const order = ["group", "gshadow", "shadow", "passwd"] as const;
  const names = isRemoval ? [...order].reverse() : order;
  const steps = names.flatMap((name): RootStep[] => {
    const text = plan.texts[name];
    if (text === undefined) return [];
    const path = `etc/${name}`;
    const content = Buffer.from(text, "latin1");
    const isNew = view.status(path)?.kind !== "file";
    const mode = name.endsWith("shadow") ? 0o600 : 0o644;
    return [{ kind: "file", path, content, ...(isNew ? { rights: { mode } } : {}) }];
  });
  return steps.length === 0 ? [] : [...folderSteps(view, "etc/passwd"), ...steps];
}

function changeText(what: string, before: string | undefined, after: string): string {
  return before === undefined ? `${what} ${after}` : `${what} ${before} → ${after}`;
}

function unknownZone(zone: string, view: RootView, zones: string): Fault {
  const area = zone.includes("/") ? zone.slice(0, zone.lastIndexOf("/")) : "";
  const inArea = view.names(area === "" ? zones : `${zones}/${area}`);
  const names = inArea.map((name) => (area === "" ? name : `${area}/${name}`));
  const near = suggest(
    zone,
    names.map((word) => ({ word })),
  );
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot set the time zone "${zone}": the system does not know it`,
    hint: near === undefined ? `look into /${zones}` : `did you mean "${near}"?`,
  });
}

import { suggest } from "../../kit/cli/suggest.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { ENABLED_FOLDER } from "../service/enable.ts";
import { folderSteps, type RootStep, type RootView } from "./root-view.ts";
import { findUnit, readInstall, unitNames } from "./systemd-unit.ts";
import type { ConfigurationChange, SystemConfig } from "./types.ts";

type Services = SystemConfig["services"];

/** What is to be done about services. */
export interface ServicePlan {
  readonly changes: readonly ConfigurationChange[];
  readonly steps: readonly RootStep[];
  readonly notes: readonly string[];
  /** To be enabled, and not there: their packages may bring them. */
  readonly missing: readonly string[];
}

/**
 * Links that enable and disable services. What was enabled by a former declaration and is not
 * declared any more is disabled; what neither names stays as its package has it. Pure.
 */
export function planServices(
  view: RootView,
  wanted: Services,
  previous: Services | undefined,
): ServicePlan {
  const isSame = previous?.init === wanted.init;
  const dropped = isSame ? previous.enable.filter((name) => !wanted.enable.includes(name)) : [];
  const planner =
    wanted.init === "rinit" ? new RinitLinks(view) : new SystemdLinks(view, wanted.disable);
  for (const name of new Set(wanted.enable)) planner.enable(name);
  for (const name of new Set([...dropped, ...wanted.disable])) planner.disable(name);
  return planner;
}

/** Says which service there is not. */
export function missingService(name: string, view: RootView, init: Services["init"]): Fault {
  const known = init === "rinit" ? rinitNames(view) : unitNames(view);
  const near = suggest(
    name,
    known.map((word) => ({ word })),
  );
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot enable the service "${name}": ${init} has none of that name`,
    hint: near === undefined ? "declare the package that brings it" : `did you mean "${near}"?`,
    details: { service: name },
  });
}

abstract class Links implements ServicePlan {
  readonly changes: ConfigurationChange[] = [];
  readonly steps: RootStep[] = [];
  readonly notes: string[] = [];
  readonly missing: string[] = [];
  protected readonly view: RootView;

  constructor(view: RootView) {
    this.view = view;
  }

  abstract enable(name: string): void;
  abstract disable(name: string): void;

  /** Makes the links of a service that are not there yet. */
  protected link(name: string, links: readonly (readonly [path: string, target: string])[]): void {
    const absent = links.filter(([path, target]) => this.view.readLink(path) !== target);
    const [first] = absent;
    if (first === undefined) return;
    for (const [path, target] of absent) {
      this.steps.push(...folderSteps(this.view, path), { kind: "link", path, target });
    }
    const text = `enable the service ${name}`;
    this.changes.push({ area: "services", path: first[0], action: "create", text });
  }

  protected unlink(name: string, paths: readonly string[]): void {
    const [first] = paths;
    if (first === undefined) return;
    for (const path of paths) this.steps.push({ kind: "remove", path });
    const text = `disable the service ${name}`;
    this.changes.push({ area: "services", path: first, action: "remove", text });
  }

  protected lacks(name: string): void {
    this.missing.push(name);
    const text = `enable the service ${name}, once a package brings it`;
    this.changes.push({ area: "services", path: "etc", action: "create", text });
  }
}

const RINIT_FOLDERS = ["etc/rinit", "usr/lib/rinit"] as const;

class RinitLinks extends Links {
  override enable(name: string): void {
    const at = name.indexOf("@");
    const files = at < 0 ? [name] : [name, name.slice(0, at + 1)];
    const found = files
      .flatMap((file) => RINIT_FOLDERS.map((folder) => `${folder}/${file}.toml`))
      .find((path) => this.view.status(path, { follow: true })?.kind === "file");
    const path = `${ENABLED_FOLDER}/${name}.toml`;
    if (found !== undefined) this.link(name, [[path, `/${found}`]]);
    else this.lacks(name);
  }

  override disable(name: string): void {
    const path = `${ENABLED_FOLDER}/${name}.toml`;
    if (this.view.status(path) !== undefined) this.unlink(name, [path]);
  }
}

/** Names of rinit's services. */
function rinitNames(view: RootView): string[] {
  const files = RINIT_FOLDERS.flatMap((folder) => view.names(folder));
  return files.flatMap((file) => /^(.+)\.toml$/.exec(file)?.[1] ?? []);
}

const SYSTEMD = "etc/systemd/system";

class SystemdLinks extends Links {
  /** Units name each other with Also=: each is looked at once, and one that is wanted stays. */
  readonly #seen = new Set<string>();
  readonly #unwanted: ReadonlySet<string>;

  constructor(view: RootView, unwanted: readonly string[]) {
    super(view);
    this.#unwanted = new Set(unwanted.map(unitName));
  }

  override enable(name: string): void {
    const unit = unitName(name);
    if (this.#seen.has(unit) || this.#unwanted.has(unit)) return;
    this.#seen.add(unit);
    const file = findUnit(this.view, unit);
    if (file === undefined) {
      this.lacks(name);
      return;
    }
    if (file.isMasked) {
      this.notes.push(`"${unit}" is masked (a link to /dev/null), so it cannot be enabled`);
      return;
    }
    const install = readInstall(file.text, unit);
    if (install.links.length + install.also.length === 0) {
      this.notes.push(`"${unit}" has no [Install]: something else starts it, or nothing does`);
    }
    const target = `/${file.path}`;
    const links = install.links.map((path) => [`${SYSTEMD}/${path}`, target] as const);
    // A unit of /etc needs no alias to itself.
    this.link(
      install.unit,
      links.filter(([path]) => path !== file.path),
    );
    for (const other of install.also) this.enable(other);
  }

  override disable(name: string): void {
    const unit = unitName(name);
    if (this.#seen.has(unit)) return;
    this.#seen.add(unit);
    const file = findUnit(this.view, unit);
    const install = file === undefined ? undefined : readInstall(file.text, unit);
    const own = install?.unit ?? unit;
    const found: string[] = [];
    for (const entry of this.view.names(SYSTEMD)) {
      const path = `${SYSTEMD}/${entry}`;
      if (/\.(wants|requires|upholds)$/.test(entry)) {
        const link = `${path}/${own}`;
        if (this.view.status(link)?.kind === "link") found.push(link);
      } else if (install?.links.includes(entry) === true && this.#leadsTo(path, unit)) {
        found.push(path);
      }
    }
    this.unlink(own, found);
    for (const other of install?.also ?? []) this.disable(other);
  }

  #leadsTo(path: string, unit: string): boolean {
    const target = this.view.readLink(path);
    return target !== undefined && target.slice(target.lastIndexOf("/") + 1) === unit;
  }
}

/** `sshd` is `sshd.service`, as systemctl takes it. */
function unitName(name: string): string {
  return /\.(service|socket|timer|path|mount|automount|swap|target|slice|device)$/.test(name)
    ? name
    : `${name}.service`;
}

/** Services that are enabled, for reports. */
export function enabledServices(view: RootView, init: Services["init"]): string[] {
  if (init === "rinit") {
    return view.names(ENABLED_FOLDER).flatMap((file) => /^(.+)\.toml$/.exec(file)?.[1] ?? []);
  }
  const folders = view.names(SYSTEMD).filter((name) => /\.(wants|requires|upholds)$/.test(name));
  const units = folders.flatMap((folder) => view.names(`${SYSTEMD}/${folder}`));
  return [...new Set(units)].sort();
}

import { RootFolder } from "../../kit/fs/root-folder.ts";
import { lockAccounts } from "./account-lock.ts";
import {
  type ConfigurationPlan,
  type HomePlaces,
  planConfiguration,
  SYSTEM_TEXT_PATH,
} from "./configuration.ts";
import { HomeFolders } from "./home-folders.ts";
import { parseSystemText } from "./read.ts";
import { carryOut } from "./root-view.ts";
import { missingService } from "./service-links.ts";
import type { ConfigurationReport, ConfigureOptions, SystemConfig } from "./types.ts";

/**
 * Brings a root folder in line with what is declared, packages and kernel apart: names, locale,
 * users, keys, services, repositories. Nothing outside of the folder is touched, whatever links
 * lie in it; a second run changes nothing. What the root was declared as before is read from its
 * own etc/rastos/system.toml.
 *
 * @throws {Fault} E_NOT_FOUND for services and time zones that the root does not have; E_REFUSED
 *   where a link leads out of a home folder; E_LOCKED, E_IO, E_NO_SPACE, E_PRIVILEGE
 */
export async function configureRoot(
  rootFolder: string,
  config: SystemConfig,
  options: ConfigureOptions = {},
): Promise<ConfigurationReport> {
  using configuration = await Configuration.prepare(rootFolder, config, options);
  if (options.isDryRun !== true) configuration.carryOut();
  return configuration.report;
}

/** A configuration of a root, planned, to be carried out at once or in two parts. */
export class Configuration implements Disposable {
  readonly plan: ConfigurationPlan;
  /** What the root was declared as before. */
  readonly previous: SystemConfig | undefined;
  readonly #root: RootFolder;
  readonly #homes: HomeFolders;
  readonly #config: SystemConfig;

  private constructor(parts: {
    readonly plan: ConfigurationPlan;
    readonly previous: SystemConfig | undefined;
    readonly root: RootFolder;
    readonly homes: HomeFolders;
    readonly config: SystemConfig;
  }) {
    this.plan = parts.plan;
    this.previous = parts.previous;
    this.#root = parts.root;
    this.#homes = parts.homes;
    this.#config = parts.config;
  }

  /** Looks at the root. @throws {Fault} as {@link configureRoot} */
  static async prepare(
    rootFolder: string,
    config: SystemConfig,
    options: ConfigureOptions = {},
  ): Promise<Configuration> {
    const root = RootFolder.open(rootFolder);
    const homes = new HomeFolders(root, options.sharedFolders ?? new Map());
    try {
      const clock = options.clock ?? Date.now;
      const previous = options.previous ?? (await declaredBefore(root));
      const plan = planConfiguration(root, {
        config,
        previous,
        systemText: options.systemText,
        homes: homes satisfies HomePlaces,
        today: Math.floor(clock() / 86_400_000),
      });
      return new Configuration({ plan, previous, root, homes, config });
    } catch (error) {
      homes[Symbol.dispose]();
      root[Symbol.dispose]();
      throw error;
    }
  }

  get report(): ConfigurationReport {
    const { changes, notes, programs } = this.plan;
    return { changes, notes, programs };
  }

  /** Does everything. */
  carryOut(): void {
    this.carryOutSettings();
    this.carryOutHomes("own");
    this.carryOutHomes("shared");
  }

  /** Does what is in the root itself, home folders apart. */
  carryOutSettings(): void {
    const [missing] = this.plan.missingServices;
    if (missing !== undefined) {
      throw missingService(missing, this.#root, this.#config.services.init);
    }
    const touchesAccounts = this.plan.steps.some(({ path }) => ACCOUNT_FILE.test(path));
    // The locks are made there.
    if (touchesAccounts) this.#root.makeFolder("etc");
    using _lock = touchesAccounts ? lockAccounts(this.#root) : undefined;
    carryOut(this.#root, this.plan.steps);
  }

  /** Does what is in home folders, of the root or shared by all. */
  carryOutHomes(which: "own" | "shared"): void {
    for (const home of this.plan.homes) {
      if (this.#homes.isShared(home.home) === (which === "shared")) this.#homes.carryOut(home);
    }
  }

  [Symbol.dispose](): void {
    this.#homes[Symbol.dispose]();
    this.#root[Symbol.dispose]();
  }
}

const ACCOUNT_FILE = /^etc\/(passwd|group|shadow|gshadow)$/;

/** What a root says that it was declared as; undefined where it says nothing that counts. */
export async function declaredBefore(root: RootFolder): Promise<SystemConfig | undefined> {
  const text = root.readText(SYSTEM_TEXT_PATH);
  if (text === undefined) return undefined;
  try {
    return (await parseSystemText(`${root.path}/${SYSTEM_TEXT_PATH}`, text)).config;
  } catch {
    // Of another version: nothing is taken back for it, and the new text replaces it.
    return undefined;
  }
}

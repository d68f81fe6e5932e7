import { noLibrary } from "../alpm/jobs.ts";
import type {
  PackageManager,
  PackageRecord,
  PackageRootOptions,
  TransactionPlan,
} from "../types.ts";

/** The package manager over the pacman command. */
export class PacmanManager implements PackageManager {
  readonly kind = "pacman";

  constructor(_options: PackageRootOptions, _signal?: AbortSignal) {
    throw noLibrary();
  }

  async sync(): Promise<void> {}

  async installed(): Promise<readonly PackageRecord[]> {
    return [];
  }

  async search(): Promise<readonly PackageRecord[]> {
    return [];
  }

  async plan(): Promise<TransactionPlan> {
    return { changes: [], notes: [] };
  }

  async run(): Promise<TransactionPlan> {
    return { changes: [], notes: [] };
  }

  [Symbol.dispose](): void {}
}

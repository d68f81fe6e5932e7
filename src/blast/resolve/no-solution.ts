import type { Catalog } from "./catalog.ts";
import type { Incompatibility } from "./incompatibility.ts";
import type { Manifest } from "./manifest.ts";
import type { Scope } from "./scope.ts";

/** What a failure is explained from. */
export interface Failure {
  /** The root of the derivation. */
  readonly incompatibility: Incompatibility;
  readonly catalog: Catalog;
  readonly manifest: Manifest;
  readonly scope: Scope;
  /** A change that would help, if one was looked for and found. */
  readonly advice?: string;
}

/** No set of versions fits what was asked: {@link explain} in report.ts tells why. */
export class NoSolution extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super("Cannot resolve: no set of versions fits");
    this.name = "NoSolution";
    this.failure = failure;
  }
}

import { Fault } from "../../kit/fault/fault.ts";
import type { Waiter } from "./build-environments.ts";

/**
 * Who waits for whose build: a build that needs a tool that is built itself waits for it. Two that
 * wait for each other would wait forever, and are told instead.
 */
export class Waits {
  readonly #waiting = new Map<string, Map<string, number>>();
  readonly #labels = new Map<string, string>();

  /**
   * What another build will bring.
   *
   * @throws {Fault} E_BUILD when the other one, in the end, waits for this one
   */
  async during<T>(waiter: Waiter, other: Waiter, result: Promise<T>): Promise<T> {
    this.#labels.set(waiter.key, waiter.label).set(other.key, other.label);
    const path = this.#pathTo(waiter.key, other.key);
    if (path !== undefined) {
      result.catch(() => undefined);
      throw circleFault([waiter.key, ...path].map((key) => this.#labels.get(key) ?? key));
    }
    this.#count(waiter.key, other.key, 1);
    try {
      return await result;
    } finally {
      this.#count(waiter.key, other.key, -1);
    }
  }

  /** From one build to another along who waits for whom; both ends included. */
  #pathTo(target: string, from: string): readonly string[] | undefined {
    const cameFrom = new Map<string, string | undefined>([[from, undefined]]);
    const todo = [from];
    for (let here = todo.shift(); here !== undefined; here = todo.shift()) {
      if (here === target) {
        const path: string[] = [];
        for (let step: string | undefined = here; step !== undefined; step = cameFrom.get(step)) {
          path.unshift(step);
        }
        return path;
      }
      for (const next of this.#waiting.get(here)?.keys() ?? []) {
        if (cameFrom.has(next)) continue;
        cameFrom.set(next, here);
        todo.push(next);
      }
    }
    return undefined;
  }

  #count(waiter: string, other: string, change: number): void {
    const others = this.#waiting.get(waiter) ?? new Map<string, number>();
    this.#waiting.set(waiter, others);
    const count = (others.get(other) ?? 0) + change;
    if (count > 0) others.set(other, count);
    else others.delete(other);
  }
}

function circleFault(path: readonly string[]): Fault {
  const [first = "", ...rest] = path.map((name) => `"${name}"`);
  const steps = rest.length === 1 ? ["itself"] : rest;
  return new Fault({
    code: "E_BUILD",
    message: `Cannot build ${first}: its build requires ${steps.join(", whose build requires ")}`,
    hint: "a wheel of any of them breaks the circle: leave it out of --no-binary",
    details: { circle: path },
  });
}

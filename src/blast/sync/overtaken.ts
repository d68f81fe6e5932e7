/** Several blasts at once: each changes what it has seen, or looks again. */
import { Fault } from "../../kit/fault/fault.ts";

/** Somebody else has changed the environment or the project since this process has read them. */
export class Overtaken extends Error {
  override readonly name = "Overtaken";
}

/** Who is overtaken more often than this has met something that never rests. */
const ATTEMPTS_MAX = 20;

/**
 * Does something that reads a project and its environment and then changes them, again from the
 * beginning where somebody else was faster.
 *
 * @throws {Fault} E_LOCKED where that happens all the time
 */
export async function untilFirst<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      if (attempt < ATTEMPTS_MAX) continue;
      throw new Fault({
        code: "E_LOCKED",
        message: `Cannot finish: ${error.message}, again and again`,
        hint: "try again when nothing else works on this project",
      });
    }
  }
}

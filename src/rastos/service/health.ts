import { processCalls } from "../../../ffi/process.ts";
import type { HealthResult } from "./control-messages.ts";
import type { ServiceDefinition } from "./definition.ts";
import type { ProcessWorld } from "./process-world.ts";
import type { Supervised } from "./supervisor.ts";

/**
 * How every service is that was started: one that has failed or is on its way to its next try is
 * not well, nor one whose health command says so or gives no answer in time.
 */
export async function askHealth(
  services: readonly Supervised[],
  world: ProcessWorld,
): Promise<HealthResult[]> {
  const asked = services.filter(({ state }) => state.phase.kind !== "down");
  return await Promise.all(asked.map((one) => healthOf(one, world)));
}

async function healthOf(one: Supervised, world: ProcessWorld): Promise<HealthResult> {
  const { definition, state } = one;
  const service = definition.name;
  const { phase } = state;
  if (phase.kind === "failed" || phase.kind === "backoff") {
    return { service, isGood: false, reason: phase.reason };
  }
  if (phase.kind !== "up" || definition.health === undefined) {
    return { service, isGood: true, reason: undefined };
  }
  const reason = await runHealth(definition, definition.health, world);
  return { service, isGood: reason === undefined, reason };
}

function runHealth(
  service: ServiceDefinition,
  command: readonly string[],
  world: ProcessWorld,
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const result = world.run(service, command, (exit) => {
    clearTimeout(timer);
    const how = exit.signal === undefined ? `exit code ${exit.code}` : `signal ${exit.signal}`;
    resolve(exit.code === 0 ? undefined : `its health command: ${how}`);
  });
  const timeoutMs = service.health_timeout;
  const timer = setTimeout(() => {
    if (result.kind === "running") processCalls().kill(-result.pid, 9);
    resolve(`its health command gave no answer within ${timeoutMs / 1000} s`);
  }, timeoutMs);
  if (result.kind === "failed") {
    clearTimeout(timer);
    resolve(`its health command: ${result.reason}`);
  }
  return promise;
}

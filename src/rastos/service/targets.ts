import { existsSync } from "node:fs";
import type { ServiceDefinition } from "./definition.ts";
import { findProgram, SERVICE_PATH } from "./launch.ts";
import { serviceSchema } from "./schema.ts";

/**
 * The services, with what is enabled wanted by its targets. A target that is named and that no file
 * defines is there all the same.
 */
export function withTargets(
  services: ReadonlyMap<string, ServiceDefinition>,
  enabled: ReadonlySet<string>,
  first: string,
): Map<string, ServiceDefinition> {
  const all = new Map([...services].map(([name, service]) => [name, unlessLacking(service)]));
  const target = (name: string): ServiceDefinition => all.get(name) ?? plainTarget(name);
  all.set(first, target(first));
  for (const name of enabled) {
    for (const wanting of all.get(name)?.targets ?? []) {
      if (wanting === name) continue;
      const old = target(wanting);
      all.set(wanting, { ...old, wants: [...new Set([...old.wants, name])] });
    }
  }
  return all;
}

/** What lacks something that it runs only with runs nothing; whoever waits for it goes on. */
function unlessLacking(service: ServiceDefinition): ServiceDefinition {
  if (service.only_if.every((path) => existsSync(path))) return service;
  return { ...service, type: "target", command: [], pre: [], post: [] };
}

function plainTarget(name: string): ServiceDefinition {
  const settings = serviceSchema.parse({ type: "target" });
  return { ...settings, name, command: [], files: [] };
}

/** A shell on the console, behind root's password where there is a program that asks for it. */
export function emergencyService(): ServiceDefinition {
  const command = findProgram("sulogin", SERVICE_PATH) === undefined ? ["/bin/sh"] : ["sulogin"];
  const settings = serviceSchema.parse({
    description: "A shell, because nothing else could be started",
    exec: command,
    tty: "console",
    restart: "always",
    start_limit: 0,
  });
  return { ...settings, name: "emergency", command, files: [] };
}

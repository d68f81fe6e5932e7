import type { ServiceDefinition } from "../../src/rastos/service/definition.ts";
import { serviceSchema } from "../../src/rastos/service/schema.ts";

/** A service as if of a file with these keys. */
export function makeService(name: string, keys: Record<string, unknown> = {}): ServiceDefinition {
  const exec = keys["type"] === "target" ? {} : { exec: ["/bin/true"] };
  const settings = serviceSchema.parse({ ...exec, ...keys });
  return { ...settings, name, command: settings.exec ?? [], files: [] };
}

/** Services by name. */
export function makeServices(
  specs: Record<string, Record<string, unknown>>,
): Map<string, ServiceDefinition> {
  return new Map(Object.entries(specs).map(([name, keys]) => [name, makeService(name, keys)]));
}

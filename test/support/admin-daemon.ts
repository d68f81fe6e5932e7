import { createAdminHandlers } from "../../src/blit/daemon/admin/handlers.ts";
import { parseHostRules } from "../../src/blit/daemon/host-rules.ts";
import { type ModuleSettings, ModuleTable } from "../../src/blit/daemon/modules.ts";
import { serveControl } from "./control.ts";

/** Settings of a module that everybody may use. */
export function testModule(
  change: Pick<ModuleSettings, "name" | "path"> & Partial<ModuleSettings>,
): ModuleSettings {
  const hosts = parseHostRules(undefined, []);
  if (typeof hosts === "string") throw new Error(hosts);
  return {
    comment: "",
    readOnly: false,
    useChroot: false,
    runAs: undefined,
    users: undefined,
    hosts,
    connectionsMax: 16,
    ...change,
  };
}

/** A control server in this process that answers the administrative calls. */
export async function serveAdmin(modules: readonly ModuleSettings[]) {
  const table = new ModuleTable(modules);
  const settings = () => ({ motd: "Be kind", requiresToken: false });
  const server = await serveControl(createAdminHandlers({ modules: table, settings }));
  return {
    server,
    /** Where the places of a module are, as a user types them. */
    place: (module: string, path = "") => `127.0.0.1:${server.port}:/${module}/${path}`,
    name: `127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

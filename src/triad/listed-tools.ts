import type { CommandModel } from "../kit/cli/model.ts";
import { describeCommand } from "../kit/cli/model.ts";
import type { TriadPorts } from "./ports.ts";

/** triad and every tool that is listed, described in full; each is callable by its name. */
export async function listedTools(ports: TriadPorts): Promise<readonly CommandModel[]> {
  const models = [await describeCommand(await ports.triad(), "triad")];
  for (const [name, load] of Object.entries(ports.tools)) {
    const spec = await load();
    if (spec.meta.hidden !== true) {
      models.push(await describeCommand(spec, name));
    }
  }
  return models;
}

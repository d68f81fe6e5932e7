/** Environments of scripts that name their own requirements (PEP 723). */
import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { openEnvironment } from "../env/environment.ts";
import { readScriptMetadata } from "../project/script-metadata.ts";
import { choosePython } from "../python/find.ts";
import { Prober } from "../python/probe.ts";
import { createVenv } from "../python/venv.ts";
import { readVenvConfig } from "../python/venv-config.ts";
import { installDirect } from "./install-direct.ts";
import { makeAlone, type Place, putInOrder } from "./place.ts";
import type { ResolveFlags } from "./question.ts";
import type { Session } from "./session.ts";

/** How a script is run. */
export interface ScriptRequest {
  readonly flags: ResolveFlags;
  readonly python: string | undefined;
  readonly command: string;
}

/**
 * The environment of a script, one for each script and Python, kept in the cache folder and brought
 * up to date. Undefined where the script names nothing.
 *
 * @throws {Fault} E_CONFIG for metadata that is not understood, and whatever installing throws
 */
export async function scriptPlace(
  session: Session,
  script: string,
  text: string,
  request: ScriptRequest,
): Promise<Place | undefined> {
  const metadata = await readScriptMetadata(text, basename(script), dirname(script));
  if (metadata === undefined) return undefined;
  const requirements = metadata.dependencies;
  const requiresPython = metadata.requiresPython?.toString();
  const prober = new Prober(session.environment);
  const { interpreter } = await choosePython(request.python, {
    environment: session.environment,
    folder: dirname(script),
    prober,
    ...(requiresPython === undefined
      ? {}
      : { requiresPython: { specifier: requiresPython, origin: basename(script) } }),
  });
  const key = new Bun.CryptoHasher("sha256")
    .update(`${script}\0${interpreter.path}\0${interpreter.version}`)
    .digest("hex")
    .slice(0, 16);
  const folder = join(session.cacheFolder, "scripts-v1", `${basename(script, ".py")}-${key}`);
  const created = await makeOnce(session, folder, () => {
    mkdirSync(dirname(folder), { recursive: true });
    createVenv(folder, interpreter, { prompt: basename(script), clear: true });
  });
  const environment = openEnvironment(folder);
  const own = await prober.require(environment.python);
  prober.save();
  const place: Place = { environment, interpreter: own, created, isProjects: false };
  await putInOrder(session, place);
  await installDirect(session, place, {
    requirements,
    constraints: [],
    overrides: [],
    flags: request.flags,
    upgrade: false,
    noDependencies: false,
    requireHashes: false,
    exact: false,
    dryRun: false,
    compileBytecode: false,
    command: request.command,
  });
  return place;
}

/** Of several runs of one script, one makes the environment and the others find it made. */
async function makeOnce(session: Session, folder: string, make: () => void): Promise<boolean> {
  if (readVenvConfig(folder) !== undefined) return false;
  using _alone = await makeAlone(session, folder);
  if (readVenvConfig(folder) !== undefined) return false;
  make();
  return true;
}

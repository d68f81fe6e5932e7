/** The store as a repair needs it: what is damaged or lost is fetched again. */
import type { JournalPackage } from "../env/journal.ts";
import type { RepairStore } from "../env/repair.ts";
import { tryParseVersion } from "../pep/version.ts";
import type { WheelStore } from "../wheel/store.ts";
import type { StoredWheel } from "../wheel/stored-wheel.ts";
import { useFileOptions } from "./file-options.ts";
import type { Place } from "./place.ts";
import type { Session } from "./session.ts";

/** A store that compares its wheels with their hashes before they are used again. */
export async function repairStore(session: Session, place: Place): Promise<RepairStore> {
  const store = await session.store();
  return {
    get: (sha256) => store.get(sha256),
    isWhole: async ({ sha256 }) => {
      const wheel = store.get(sha256);
      return wheel !== undefined && (await store.verify(wheel, { full: true })).length === 0;
    },
    refetch: (wanted) => refetch(session, place, store, wanted),
  };
}

/** The same file from the index; nothing else will do. */
async function refetch(
  session: Session,
  place: Place,
  store: WheelStore,
  wanted: JournalPackage,
): Promise<StoredWheel | undefined> {
  const { name, sha256 } = wanted;
  const version = tryParseVersion(wanted.version);
  if (sha256 === undefined || version === undefined) return undefined;
  if (place.isProjects) await useFileOptions(session);
  const index = await session.index(place.interpreter);
  const project = await index.project(name);
  const files = project?.versions.find((one) => one.version.key === version.key)?.files() ?? [];
  const file = files.find(({ hashes }) => hashes["sha256"] === sha256);
  if (file === undefined) return undefined;
  const { path } = await index.download(file);
  const stored = await store.add(path, { sha256, expected: { name, version }, replace: true });
  session.discardDownload(path);
  return stored;
}

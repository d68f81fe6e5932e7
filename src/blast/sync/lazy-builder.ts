/** Builders that load the code for builds when there is something to build. */
import type { MetadataBuilder } from "../index/options.ts";
import type { Interpreter } from "../python/probe.ts";
import type { WheelBuilder } from "./prepare.ts";
import type { Session } from "./session.ts";

/** Builds metadata and wheels, for one interpreter. */
export type Builder = MetadataBuilder & WheelBuilder;

/** A builder that costs nothing until it is asked. */
export function lazyBuilder(session: Session, interpreter: Interpreter): Builder {
  const { implementation, version } = interpreter;
  let opened: Promise<Builder> | undefined;
  const open = (): Promise<Builder> => {
    opened ??= import("./open-builder.ts").then(({ openBuilder }) =>
      openBuilder(session, interpreter),
    );
    return opened;
  };
  return {
    cacheKey: `${implementation}-${version}-${interpreter.markers.platform_machine}`,
    buildMetadata: async (file, archivePath) => (await open()).buildMetadata(file, archivePath),
    buildDirect: async (source, archivePath) => (await open()).buildDirect(source, archivePath),
    buildWheel: async (wanted, archivePath) => (await open()).buildWheel(wanted, archivePath),
  };
}

import type { CoreMetadata, MaybePromise, PackageIndex } from "../resolve/port.ts";

/** The index, with packages that need nothing: `--no-deps`. */
export function withoutDependencies(index: PackageIndex): PackageIndex {
  return {
    project: (name) => index.project(name),
    metadata: (file) => then(index.metadata(file), bare),
    direct: (source) =>
      then(index.direct(source), (found) => ({ ...found, metadata: bare(found.metadata) })),
    prefetch: () => undefined,
    prefetchMetadata: (file) => index.prefetchMetadata(file),
  };
}

function bare(metadata: CoreMetadata): CoreMetadata {
  return { ...metadata, requiresDist: [] };
}

function then<A, B>(value: MaybePromise<A>, change: (value: A) => B): MaybePromise<B> {
  return value instanceof Promise ? value.then(change) : change(value);
}

import { type PackageFile, type PackageSpec, packageFiles } from "./test-packages.ts";
import { type Asked, htmlPage, jsonPage, rangedBytes } from "./web-server.ts";

/** How a file stands on the index's page. */
export interface Listing {
  readonly yanked?: boolean | string;
  /** RFC 3339. */
  readonly uploaded?: string;
  /** False: the metadata is not offered beside the wheel (PEP 658). */
  readonly core?: boolean;
  /** In place of the right digest, in hexadecimal; null: none is told. */
  readonly sha256?: string | null;
  /** In place of the right metadata. */
  readonly metadata?: string;
}

/** A request, and the right answer to it. */
export type Fault = (
  request: Request,
  answer: () => Response,
  hit: number,
) => Response | Promise<Response>;

/** A package index on loopback that can be told to misbehave. */
export interface TestIndex extends AsyncDisposable {
  /** Address of its simple pages. */
  readonly url: string;
  readonly origin: string;
  /** What it was asked, in order. */
  readonly asked: Asked[];
  /** Whether it speaks JSON (PEP 691); else HTML alone. */
  json: boolean;
  /** Offers the files of a package, beside what there is; returns them. */
  add(spec: PackageSpec, listing?: Listing): PackageFile[];
  /** Offers a file. */
  addFile(project: string, file: PackageFile, listing?: Listing): void;
  /** Takes a project away. */
  remove(project: string): void;
  /** Address of a file. */
  fileUrl(file: PackageFile): string;
  /** Answers paths that match in another way, until what it returns is called. */
  fault(path: RegExp, how: Fault): () => void;
}

interface Offer {
  readonly file: PackageFile;
  readonly listing: Listing;
  readonly requiresPython: string | undefined;
}

/** Starts an index without any project. */
export function startTestIndex(): TestIndex {
  const projects = new Map<string, Offer[]>();
  const files = new Map<string, Offer>();
  const asked: Asked[] = [];
  const faults = new Set<{ readonly path: RegExp; readonly how: Fault; hits: number }>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch(request) {
      const path = decodeURIComponent(new URL(request.url).pathname);
      asked.push({ method: request.method, path, headers: request.headers });
      const right = (): Response => answerTo(path, request);
      for (const fault of faults) {
        if (fault.path.test(path)) return fault.how(request, right, fault.hits++);
      }
      return right();
    },
  });
  const answerTo = (path: string, request: Request): Response => {
    const project = /^\/simple\/([^/]+)\/$/.exec(path)?.[1];
    const offers = project === undefined ? undefined : projects.get(project);
    if (offers !== undefined) return page(offers, index.json, request);
    const name = /^\/files\/([^/]+)$/.exec(path)?.[1] ?? "";
    const file = files.get(name);
    if (file !== undefined) return rangedBytes(file.file.bytes, request, `"${file.file.sha256}"`);
    const beside = files.get(name.replace(/\.metadata$/, ""));
    if (beside !== undefined) return new Response(beside.listing.metadata ?? beside.file.metadata);
    return new Response("no such thing", { status: 404 });
  };
  const origin = `http://127.0.0.1:${server.port}`;
  const index: TestIndex = {
    url: `${origin}/simple/`,
    origin,
    asked,
    json: true,
    add(spec, listing = {}) {
      const made = packageFiles(spec);
      for (const file of made) index.addFile(spec.name, file, listing);
      return made;
    },
    addFile(project, file, listing = {}) {
      const name = project.toLowerCase().replaceAll(/[-_.]+/g, "-");
      const requiresPython = /^Requires-Python: (.*)$/m.exec(file.metadata)?.[1];
      const offer = { file, listing, requiresPython };
      projects.set(name, [...(projects.get(name) ?? []), offer]);
      files.set(file.filename, offer);
    },
    remove: (project) => void projects.delete(project),
    fileUrl: (file) => `${origin}/files/${encodeURIComponent(file.filename)}`,
    fault(path, how) {
      const fault = { path, how, hits: 0 };
      faults.add(fault);
      return () => void faults.delete(fault);
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  return index;
}

/** With an ETag, so that it can be asked for again. */
function page(offers: readonly Offer[], json: boolean, request: Request): Response {
  const isJson = json && request.headers.get("accept")?.includes("simple.v1+json") === true;
  const text = JSON.stringify([isJson, offers.map(({ file }) => file.filename)]);
  const etag = `"${Bun.hash(text).toString(16)}"`;
  if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304 });
  const headers = { ETag: etag };
  if (isJson) return jsonPage(offers.map(jsonOf), headers);
  return htmlPage(`<!DOCTYPE html><html><body>${offers.map(anchor).join("\n")}</body>`, headers);
}

function jsonOf({ file, listing, requiresPython }: Offer): Record<string, unknown> {
  const { sha256 = file.sha256 } = listing;
  return {
    filename: file.filename,
    url: `../../files/${encodeURIComponent(file.filename)}`,
    size: file.bytes.length,
    hashes: sha256 === null ? {} : { sha256 },
    yanked: listing.yanked ?? false,
    ...(listing.uploaded === undefined ? {} : { "upload-time": listing.uploaded }),
    ...(requiresPython === undefined ? {} : { "requires-python": requiresPython }),
    ...(hasCore(file, listing) ? { "core-metadata": coreHash(file, listing) } : {}),
  };
}

function anchor({ file, listing, requiresPython }: Offer): string {
  const { sha256 = file.sha256, yanked } = listing;
  const fragment = sha256 === null ? "" : `#sha256=${sha256}`;
  const attributes = [
    `href="../../files/${encodeURIComponent(file.filename)}${fragment}"`,
    ...(requiresPython === undefined
      ? []
      : [`data-requires-python="${requiresPython.replaceAll(">", "&gt;")}"`]),
    ...(yanked === undefined || yanked === false ? [] : [`data-yanked="${yanked}"`]),
    ...(hasCore(file, listing)
      ? [`data-core-metadata="sha256=${coreHash(file, listing).sha256}"`]
      : []),
  ];
  return `<a ${attributes.join(" ")}>${file.filename}</a>`;
}

function hasCore(file: PackageFile, listing: Listing): boolean {
  return file.kind === "wheel" && listing.core !== false;
}

function coreHash(file: PackageFile, listing: Listing): { readonly sha256: string } {
  const text = listing.metadata ?? file.metadata;
  return { sha256: new Bun.CryptoHasher("sha256").update(text).digest("hex") };
}

import { fakePythonScript } from "./fake-python.ts";
import { type TarEntry, tarBytes } from "./tar-bytes.ts";

/** A server on loopback that offers made-up builds of Python. */
export interface PythonMirror extends Disposable {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly requests: string[];
  /** What is served, by path; may be changed. */
  readonly files: Map<string, Uint8Array | string>;
}

/** Begins to serve. */
export function pythonMirror(): PythonMirror {
  const files = new Map<string, Uint8Array | string>();
  const requests: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const path = decodeURIComponent(new URL(request.url).pathname);
      requests.push(path);
      const file = files.get(path);
      return file === undefined
        ? new Response("no", { status: 404 })
        : new Response(
            typeof file === "string" ? file : new Blob([file as Uint8Array<ArrayBuffer>]),
          );
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    files,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

/** An archive of a made-up Python, laid out as python-build-standalone does it. */
export function pythonArchive(
  version: string,
  options: { readonly format?: "gz" | "zst"; readonly extra?: readonly TarEntry[] } = {},
): Uint8Array {
  const [major, minor] = version.split(".");
  const name = `python${major}.${Number.parseInt(minor ?? "", 10)}`;
  const root = options.format === "zst" ? "python/install" : "python";
  const bytes = tarBytes([
    { path: `${root}/bin/${name}`, content: fakePythonScript({ version }), mode: 0o755 },
    { path: `${root}/bin/python3`, type: "2", target: name },
    { path: `${root}/bin/python`, type: "2", target: "python3" },
    { path: `${root}/lib/${name}/os.py`, content: "# os\n" },
    ...(options.format === "zst" ? [{ path: "python/PYTHON.json", content: "{}" }] : []),
    ...(options.extra ?? []),
  ]);
  const plain = Buffer.from(bytes);
  return options.format === "zst" ? Bun.zstdCompressSync(plain) : Bun.gzipSync(plain);
}

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

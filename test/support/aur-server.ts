import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSourceInfo } from "../../src/rastos/aur/srcinfo.ts";

/** A package base for the test's AUR. */
export interface AurBase {
  readonly base: string;
  readonly version?: string;
  /** Other packages than the base itself, each with what its section says. */
  readonly packages?: Readonly<Record<string, readonly string[]>>;
  /** Fields of .SRCINFO and of PKGBUILD, as `depends = x`. */
  readonly fields?: readonly string[];
  /** Shell: functions of the PKGBUILD, and whatever stands beside them. */
  readonly script: string;
  /** Further files of the repository. */
  readonly files?: Readonly<Record<string, string>>;
}

/** An AUR on loopback: the RPC, and git over HTTP by git's own server. */
export interface AurServer extends AsyncDisposable {
  readonly url: string;
  /** Paths of all requests. */
  readonly asked: string[];
  /** Makes a base, or a further commit of it. @returns the commit's name */
  publish(base: AurBase): string;
  /** Something to download from `url/files/NAME`. */
  offer(name: string, content: string): { readonly url: string; readonly sha256: string };
}

/** @param folder an empty one, that others may pass through */
export function startAurServer(folder: string): AurServer {
  const asked: string[] = [];
  const infos = new Map<string, string>();
  const offered = new Map<string, string>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 60,
    async fetch(request) {
      const url = new URL(request.url);
      asked.push(url.pathname);
      if (url.pathname.startsWith("/rpc/v5/")) return rpc(url, [...infos.values()]);
      const file = offered.get(url.pathname.replace("/files/", ""));
      if (file !== undefined) return new Response(file);
      return await gitBackend(request, folder);
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    asked,
    publish(base) {
      infos.set(base.base, sourceInfoOf(base));
      return commit(folder, base);
    },
    offer(name, content) {
      offered.set(name, content);
      const sha256 = new Bun.CryptoHasher("sha256").update(content).digest("hex");
      return { url: `${url}/files/${name}`, sha256 };
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

function sourceInfoOf({ base, version = "1.0", fields = [], packages }: AurBase): string {
  const common = ["pkgdesc = For tests", `pkgver = ${version}`, "pkgrel = 1", "arch = any"];
  const head = [...common, ...fields].map((field) => `\t${field}`);
  const sections = Object.entries(packages ?? { [base]: [] }).map(
    ([name, own]) => `\npkgname = ${name}\n${own.map((field) => `\t${field}\n`).join("")}`,
  );
  return `pkgbase = ${base}\n${head.join("\n")}\n${sections.join("")}`;
}

/** The PKGBUILD that says the same. */
function buildScriptOf({ base, version = "1.0", fields = [], packages, script }: AurBase): string {
  const names = Object.keys(packages ?? { [base]: [] });
  const lists = new Map<string, string[]>();
  for (const field of fields) {
    const [name = "", value = ""] = field.split(/ = (.*)/s);
    lists.set(name, [...(lists.get(name) ?? []), `'${value}'`]);
  }
  const lines = [...lists].map(([name, values]) => `${name}=(${values.join(" ")})`);
  return `pkgbase=${base}
pkgname=(${names.join(" ")})
pkgver=${version}
pkgrel=1
pkgdesc='For tests'
arch=(any)
${lines.join("\n")}
${script}
`;
}

function commit(folder: string, base: AurBase): string {
  const work = join(folder, "work", base.base);
  const bare = join(folder, `${base.base}.git`);
  const files: Record<string, string> = {
    PKGBUILD: buildScriptOf(base),
    ".SRCINFO": sourceInfoOf(base),
    ...base.files,
  };
  git(["init", "-q", "-b", "master", work]);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(work, name)), { recursive: true });
    writeFileSync(join(work, name), content);
  }
  git(["-C", work, "add", "-A"]);
  const author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
  const message = `Version ${base.version ?? "1.0"}`;
  git(["-C", work, ...author, "commit", "-q", "--allow-empty", "-m", message]);
  git(["init", "-q", "--bare", "-b", "master", bare]);
  git(["-C", work, "push", "-q", "-f", bare, "master"]);
  return git(["-C", work, "rev-parse", "HEAD"]).trim();
}

function git(args: readonly string[]): string {
  const done = Bun.spawnSync(["git", ...args], { env: gitEnvironment() });
  if (!done.success) throw new Error(`git ${args.join(" ")}: ${done.stderr.toString()}`);
  return done.stdout.toString();
}

function gitEnvironment(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" };
}

function rpc(url: URL, infos: readonly string[]): Response {
  const all = infos.flatMap(packagesOf);
  const [, , , call, word = ""] = url.pathname.split("/").map(decodeURIComponent);
  const names = url.searchParams.getAll("arg[]");
  if (call === "info") return answer(all.filter(({ Name }) => names.includes(Name)));
  if (call === "suggest") {
    return Response.json(all.map(({ Name }) => Name).filter((name) => name.startsWith(word)));
  }
  if (word.length < 2) {
    return Response.json({ version: 5, type: "error", results: [], error: "Query arg too small." });
  }
  const isProvides = url.searchParams.get("by") === "provides";
  const found = all.filter(({ Name, Description, Provides }) =>
    isProvides
      ? Provides.some((text) => text.split("=")[0] === word)
      : `${Name} ${Description}`.includes(word),
  );
  // As the AUR does it: a search tells no lists.
  return answer(found.map(({ Provides: _, Depends: __, ...rest }) => rest));
}

function answer(results: readonly unknown[]): Response {
  return Response.json({ version: 5, type: "multiinfo", resultcount: results.length, results });
}

function packagesOf(text: string) {
  const info = parseSourceInfo(text, "x86_64", "test");
  return info.packages.map((one) => ({
    ID: 1,
    Name: one.name,
    PackageBase: info.base,
    Version: info.version,
    Description: one.description,
    URL: null,
    NumVotes: 3,
    Popularity: 0.5,
    OutOfDate: null,
    Maintainer: "tester",
    LastModified: 1_700_000_000,
    Depends: one.depends,
    MakeDepends: info.makedepends,
    Provides: one.provides,
  }));
}

/** git's own server for "smart" HTTP, by CGI (git-http-backend(1)). */
async function gitBackend(request: Request, folder: string): Promise<Response> {
  const url = new URL(request.url);
  const child = Bun.spawn(["git", "http-backend"], {
    env: {
      ...gitEnvironment(),
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
      GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
    },
    stdin: new Uint8Array(await request.arrayBuffer()),
    stdout: "pipe",
    stderr: "ignore",
  });
  const bytes = Buffer.from(await new Response(child.stdout).arrayBuffer());
  const end = bytes.indexOf("\r\n\r\n");
  const headers = new Headers();
  for (const line of bytes.subarray(0, end).toString().split("\r\n")) {
    const [name = "", value = ""] = line.split(/: (.*)/s);
    if (name !== "") headers.set(name, value);
  }
  const status = Number(headers.get("status")?.split(" ")[0] ?? 200);
  return new Response(bytes.subarray(end + 4), { status, headers });
}

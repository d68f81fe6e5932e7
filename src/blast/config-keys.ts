/**
 * Every key of blast.toml as plain data: kind, default, meaning. The zod schema
 * (config-schema.ts), the settings' type, the quick check of a correct file and the reference page
 * are all made from this table, so that a command with a correct file never loads zod.
 */

interface About {
  /** For the reference page. */
  readonly about: string;
  /** False: taken and checked, but nothing follows from it yet; the run says so. */
  readonly effect?: false;
}

/** One key. */
export type KeySpec = About &
  (
    | { readonly kind: "text"; readonly default: string }
    | { readonly kind: "flag"; readonly default: boolean }
    | { readonly kind: "count"; readonly default: number; readonly min: number }
    | { readonly kind: "choice"; readonly default: string; readonly of: readonly string[] }
    | { readonly kind: "list"; readonly default: readonly string[] }
    /** A number of bytes such as "10 GiB", "500MB"; "0" is no limit. */
    | { readonly kind: "size"; readonly default: string }
  );

/** One table. */
export interface TableSpec {
  readonly about: string;
  readonly keys: Readonly<Record<string, KeySpec>>;
}

export const BLAST_TABLES = {
  env: {
    about: "The environment.",
    keys: {
      python_version: {
        kind: "text",
        default: "",
        about:
          'Python of the environment: `"3.12"`, `">=3.11"`, `"pypy3.10"` or the path of an ' +
          "interpreter. Empty: `.python-version`, then `requires-python`, then the newest found.",
      },
      name: {
        kind: "text",
        default: "",
        about: "Name of the project, shown in the prompt. Empty: that of the folder.",
      },
      version: { kind: "text", default: "0.0.0", about: "Version of the project." },
      path: {
        kind: "text",
        default: ".venv",
        about: "Folder of the environment, relative to this file.",
      },
      system_site_packages: {
        kind: "flag",
        default: false,
        about: "Let the environment see the packages of its base Python.",
      },
    },
  },
  packages: {
    about: "What the environment holds, where there is no pyproject.toml to say it.",
    keys: {
      dependencies: {
        kind: "list",
        default: [],
        about: "Requirements (PEP 508). `blast install NAME` adds to them.",
      },
      constraints: {
        kind: "list",
        default: [],
        about: "Requirements that narrow the versions of what others need, without asking for it.",
      },
      overrides: {
        kind: "list",
        default: [],
        about: "Requirements that replace whatever anybody asks of these names.",
      },
    },
  },
  container: {
    about: "Isolation of the environment's processes.",
    keys: {
      isolation_level: {
        kind: "choice",
        default: "process",
        of: ["process", "namespace", "container"],
        effect: false,
        about: "How far the environment's processes are kept apart from the rest.",
      },
      resource_limits: {
        kind: "flag",
        default: false,
        effect: false,
        about: "Limit the memory, processor time and disk of the environment's processes.",
      },
      network_policy: {
        kind: "choice",
        default: "host",
        of: ["host", "isolated", "none"],
        effect: false,
        about: "What network the environment's processes see.",
      },
    },
  },
  sync: {
    about: "How environment and packages are brought in line with what the project says.",
    keys: {
      env_layer: {
        kind: "choice",
        default: "strict",
        of: ["strict", "relaxed"],
        effect: false,
        about: "Whether a difference in the environment itself is an error or a warning.",
      },
      pkg_layer: {
        kind: "choice",
        default: "automatic",
        of: ["automatic", "manual"],
        about: "Whether `blast start` and `blast run` bring the packages in line, or `sync` alone.",
      },
      conflict_resolution: {
        kind: "choice",
        default: "interactive",
        of: ["interactive", "fail", "newest"],
        effect: false,
        about: "What happens when the background sync meets a conflict.",
      },
    },
  },
  env_layer: {
    about: "Snapshots of the environment's state.",
    keys: {
      snapshot_interval: {
        kind: "count",
        default: 300,
        min: 0,
        effect: false,
        about: "Seconds between two snapshots.",
      },
      max_snapshots: {
        kind: "count",
        default: 10,
        min: 0,
        effect: false,
        about: "Number of snapshots that are kept.",
      },
      recovery_mode: {
        kind: "choice",
        default: "latest",
        of: ["latest", "ask", "none"],
        effect: false,
        about: "Which snapshot a broken environment goes back to.",
      },
    },
  },
  pkg_layer: {
    about: "The background sync of packages.",
    keys: {
      auto_sync: {
        kind: "flag",
        default: true,
        effect: false,
        about: "Sync packages in the background.",
      },
      sync_interval: {
        kind: "count",
        default: 60,
        min: 1,
        effect: false,
        about: "Seconds between two looks at the packages.",
      },
      version_policy: {
        kind: "choice",
        default: "latest",
        of: ["latest", "locked"],
        effect: false,
        about: "Whether the background sync takes newer versions than the lock file's.",
      },
    },
  },
  resolver: {
    about: "Where packages come from, and which versions are taken.",
    keys: {
      max_concurrent_requests: {
        kind: "count",
        default: 50,
        min: 1,
        about: "Requests to indexes that run at the same time.",
      },
      request_timeout: {
        kind: "count",
        default: 30,
        min: 1,
        about: "Seconds after which a silent server is given up.",
      },
      retries: {
        kind: "count",
        default: 3,
        min: 0,
        about: "How often a request that failed is sent again.",
      },
      verify_ssl: {
        kind: "flag",
        default: true,
        about: "Check the certificates of servers.",
      },
      trusted_hosts: {
        kind: "list",
        default: [],
        about: "Hosts (`name` or `name:port`) whose certificates are not checked.",
      },
      allow_prereleases: {
        kind: "flag",
        default: false,
        about: "Take pre-releases also where nothing asks for one.",
      },
      strategy: {
        kind: "choice",
        default: "highest",
        of: ["highest", "lowest", "lowest-direct"],
        about:
          "Which versions are tried first; `lowest-direct`: the lowest of what the project " +
          "names, the highest of the rest.",
      },
      exclude_newer: {
        kind: "text",
        default: "",
        about: "Date or time (RFC 3339): files uploaded later do not exist. Empty: no limit.",
      },
      index_url: {
        kind: "text",
        default: "",
        about: "The index (PEP 503, PEP 691). Empty: that of pip's configuration, then PyPI.",
      },
      extra_index_urls: {
        kind: "list",
        default: [],
        about:
          "Further indexes. They come before `index_url`: a name that one of them knows is taken " +
          "from it alone.",
      },
      no_index: { kind: "flag", default: false, about: "Use no index, only `find_links`." },
      find_links: {
        kind: "list",
        default: [],
        about: "Folders, pages and archives that hold distributions.",
      },
      no_binary: {
        kind: "list",
        default: [],
        about: 'Names that are built from source. `":all:"`: all of them.',
      },
      only_binary: {
        kind: "list",
        default: [],
        about: 'Names that are never built from source. `":all:"`: all of them.',
      },
      keyring: {
        kind: "choice",
        default: "disabled",
        of: ["disabled", "subprocess"],
        about: "Ask the `keyring` program for credentials.",
      },
    },
  },
  install: {
    about: "How files come into the environment.",
    keys: {
      link_mode: {
        kind: "choice",
        default: "auto",
        of: ["auto", "clone", "hardlink", "copy"],
        about: "How files of the store come into the environment. `auto`: the fastest that works.",
      },
      file_conflicts: {
        kind: "choice",
        default: "refuse",
        of: ["refuse", "replace"],
        about:
          "Where two packages bring one file with different content, as the variants of OpenCV " +
          "do: install neither, or take that of the later one, as pip does, with a warning.",
      },
      compile_bytecode: {
        kind: "flag",
        default: false,
        about: "Compile Python files when they are installed.",
      },
    },
  },
  python: {
    about: "Where interpreters come from.",
    keys: {
      mirror: {
        kind: "text",
        default: "",
        about: "Address that `blast python install` fetches builds from, in place of the default.",
      },
      downloads_json: {
        kind: "text",
        default: "",
        about: "Address or path of a list of builds (JSON) in place of the default one.",
      },
    },
  },
  cache: {
    about: "The store of wheels and the cache of index pages.",
    keys: {
      ttl: {
        kind: "count",
        default: 600,
        min: 0,
        about:
          "Seconds for which a page of an index is used without asking again, where the index " +
          "does not say it itself.",
      },
      cache_dir: {
        kind: "text",
        default: "",
        about: "Folder of the cache, relative to this file. Empty: `$XDG_CACHE_HOME/blast`.",
      },
      max_size: {
        kind: "size",
        default: "10 GiB",
        about: 'Above it, what was not used for longest is removed. `"0"`: no limit.',
      },
    },
  },
  updates: {
    about: "What `blast update` and automatic updates do.",
    keys: {
      auto_update: {
        kind: "flag",
        default: false,
        effect: false,
        about: "Update packages in the background.",
      },
      force_updates: {
        kind: "flag",
        default: false,
        about: "Install packages anew also where their version stays.",
      },
      update_dependencies: {
        kind: "flag",
        default: true,
        about: "`blast update NAME` also updates what the package needs.",
      },
    },
  },
  monitor: {
    about: "Watching the project's files.",
    keys: {
      enabled: {
        kind: "flag",
        default: true,
        effect: false,
        about: "Watch the project's files.",
      },
      watch_paths: {
        kind: "list",
        default: ["src"],
        effect: false,
        about: "Folders that are watched, relative to this file.",
      },
    },
  },
} as const satisfies Readonly<Record<string, TableSpec>>;

type Tables = typeof BLAST_TABLES;
type ValueOf<Spec> = Spec extends { kind: "flag" }
  ? boolean
  : Spec extends { kind: "count" }
    ? number
    : Spec extends { kind: "list" }
      ? readonly string[]
      : Spec extends { kind: "choice"; of: readonly (infer Word)[] }
        ? Word
        : string;

/** All settings of blast.toml, none of them absent. */
export type BlastSettings = {
  readonly [Name in keyof Tables]: {
    readonly [Key in keyof Tables[Name]["keys"]]: ValueOf<Tables[Name]["keys"][Key]>;
  };
};

/** The same table, for code that walks over it. */
export const TABLE_SPECS: ReadonlyMap<string, TableSpec> = new Map(Object.entries(BLAST_TABLES));

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Bytes of "10 GiB", "1.5gb", "4096"; undefined for what is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]*)$/i.exec(text.trim());
  const factor = UNITS[match?.[2]?.toLowerCase() ?? "-"];
  return factor === undefined ? undefined : Math.round(Number(match?.[1]) * factor);
}

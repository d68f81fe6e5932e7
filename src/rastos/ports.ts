/** What rastos needs from outside its room; applets.ts plugs it in. */
export const ports: Ports = {
  createPackageWorker: undefined,
};

type Ports = { -readonly [Name in keyof Plugs]: Plugs[Name] | undefined };

export type Plugs = {
  /** Starts a thread for libalpm; undefined = it runs on the main thread, and blocks it. */
  readonly createPackageWorker: () => Worker;
};

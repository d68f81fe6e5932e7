/** What blast needs from outside its room; applets.ts plugs it in. */
export const ports: {
  /** Starts a thread that reads pages of indexes; undefined = the main thread does. */
  createPageWorker: (() => Worker) | undefined;
  /** Starts a thread that unpacks wheels; undefined = that happens on the main thread. */
  createUnpackWorker: (() => Worker) | undefined;
  /** Starts a thread that links files into an environment; undefined = the main thread does. */
  createInstallWorker: (() => Worker) | undefined;
} = {
  createPageWorker: undefined,
  createUnpackWorker: undefined,
  createInstallWorker: undefined,
};

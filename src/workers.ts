/**
 * The only place where workers are started. It has to lie in src/ itself: in the compiled
 * executable a worker's URL resolves from the root of the bundle.
 */

/** A thread of blit's transfer engine. */
export function createCopyWorker(): Worker {
  return new Worker(new URL("./blit/work/copy.worker.ts", import.meta.url));
}

/** The sending end of one data stream of blit. */
export function createSendWorker(): Worker {
  return new Worker(new URL("./blit/work/send.worker.ts", import.meta.url));
}

/** The receiving end of one data stream of blit. */
export function createReceiveWorker(): Worker {
  return new Worker(new URL("./blit/work/receive.worker.ts", import.meta.url));
}

/** A thread for one administrative request to a daemon. */
export function createAdminWorker(): Worker {
  return new Worker(new URL("./blit/work/admin.worker.ts", import.meta.url));
}

/** A thread that reads pages of indexes for blast, and writes its cache. */
export function createPageWorker(): Worker {
  return new Worker(new URL("./blast/work/page.worker.ts", import.meta.url));
}

/** A thread that unpacks wheels for blast. */
export function createUnpackWorker(): Worker {
  return new Worker(new URL("./blast/work/unpack.worker.ts", import.meta.url));
}

/** A thread that links files of blast's store into an environment. */
export function createInstallWorker(): Worker {
  return new Worker(new URL("./blast/work/install.worker.ts", import.meta.url));
}

/** A thread for one job of libalpm, for rastos. */
export function createPackageWorker(): Worker {
  return new Worker(new URL("./rastos/work/package.worker.ts", import.meta.url));
}

/** What blit needs from outside its room; applets.ts plugs it in. */
export const ports: {
  /** Starts a thread of the transfer engine; undefined = everything runs on the main thread. */
  createCopyWorker: (() => Worker) | undefined;
} = { createCopyWorker: undefined };

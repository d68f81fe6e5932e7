/** What blit needs from outside its room; applets.ts plugs it in. */
export const ports: Ports = {
  createCopyWorker: undefined,
  createSendWorker: undefined,
  createReceiveWorker: undefined,
  createAdminWorker: undefined,
};

type Ports = { -readonly [Name in keyof Plugs]: Plugs[Name] | undefined };

export type Plugs = {
  /** Starts a thread of the transfer engine; undefined = everything runs on the main thread. */
  readonly createCopyWorker: () => Worker;
  /** Starts the sending end of one data stream. */
  readonly createSendWorker: () => Worker;
  /** Starts the receiving end of one data stream. */
  readonly createReceiveWorker: () => Worker;
  /** Starts a thread for one administrative request. */
  readonly createAdminWorker: () => Worker;
};

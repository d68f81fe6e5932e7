import type { Place } from "../sync/place.ts";
import type { Session } from "../sync/session.ts";

/** What `blast start` asks for when the environment is there. */
export interface StartSync {
  readonly session: Session;
  readonly place: Place;
  /** As the user typed it, for the history. */
  readonly command: string;
}

/** Brings the packages in line with what the project asks for; plugged in by door.ts. */
export const startPort: {
  syncProject: ((request: StartSync) => Promise<void>) | undefined;
} = { syncProject: undefined };

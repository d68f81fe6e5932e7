/** A place in the queue of a {@link Limiter}; shared with it by whoever may become impatient. */
export interface Ticket {
  urgent: boolean;
}

interface Waiting {
  readonly ticket: Ticket;
  readonly start: () => void;
}

/**
 * At most so many tasks at a time. Those whose ticket is urgent go first, also when the ticket has
 * become urgent while it waited: what somebody waits for overtakes what is only fetched ahead.
 */
export class Limiter {
  readonly #tasksMax: number;
  #running = 0;
  readonly #queue: Waiting[] = [];

  constructor(tasksMax: number) {
    this.#tasksMax = Math.max(1, tasksMax);
  }

  /** Runs the task when there is room; what it throws is thrown. */
  async run<T>(task: () => Promise<T>, ticket: Ticket = { urgent: true }): Promise<T> {
    if (this.#running >= this.#tasksMax) {
      await new Promise<void>((resolve) => this.#queue.push({ ticket, start: resolve }));
    } else {
      this.#running += 1;
    }
    try {
      return await task();
    } finally {
      this.#next();
    }
  }

  /** Hands the room on, so that nobody who comes new can slip in between. */
  #next(): void {
    const urgent = this.#queue.findIndex((waiting) => waiting.ticket.urgent);
    const [next] = this.#queue.splice(urgent === -1 ? 0 : urgent, 1);
    if (next === undefined) {
      this.#running -= 1;
    } else {
      next.start();
    }
  }
}

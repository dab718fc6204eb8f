/** State and events by plain HTTP, once a second: what is left where WebSocket does not get through. */

import { getJson } from "./api.js";

const INTERVAL_MS = 1000;
const EVENTS_AT_ONCE = 50;

/** Tells "state" and "event", as the live connection does. */
export class Polling {
  #timer = 0;
  #newest = -1;
  #running = false;
  #tell;

  /** @param {(name: string, detail: any) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /** Begins; events that were there before are not told. */
  start() {
    if (this.#running) return;
    this.#running = true;
    this.#newest = -1;
    this.#ask();
  }

  /** Ends. */
  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  async #ask() {
    try {
      const [state, news] = await Promise.all([
        getJson("/api/state"),
        getJson(`/api/events?limit=${EVENTS_AT_ONCE}`),
      ]);
      if (!this.#running) return;
      this.#tell("state", state);
      this.#tellNew(news.events);
    } catch {
      // The next one may succeed; until then the ages on the page go up.
    }
    if (this.#running) this.#timer = setTimeout(() => this.#ask(), INTERVAL_MS);
  }

  /** @param {import("./wire.js").ReceiverEvent[]} events the newest first */
  #tellNew(events) {
    const before = this.#newest;
    const newest = events[0]?.event_number ?? 0;
    this.#newest = newest;
    if (before < 0 || newest < before) return; // the first time, or the receiver has started again
    for (const event of events.filter((each) => each.event_number > before).reverse()) this.#tell("event", event);
  }
}

/** The live connection: kept, mended, and replaced by plain HTTP where WebSocket does not get through. */

import { getJson, goToLogin } from "./api.js";
import { Polling } from "./polling.js";
import { readPicture } from "./wire.js";

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
const SILENT_MS = 8000; // the receiver sends its state every second, so a connection that says nothing is dead
const ATTEMPTS_BEFORE_FALLBACK = 2;
const NEXT_ATTEMPT_IN_FALLBACK_MS = 30_000;

const NO_SESSION = 4401;
const NO_ROOM = 1013;

/**
 * @typedef {"connecting" | "live" | "lost" | "full" | "fallback" | "paused"} StatusKind
 * @typedef {{sender: string, view?: string}} Choice sender: a name or "auto"; without a view: that of the receiver
 * @typedef {{kind: StatusKind, retryAt: number | null}} Status retryAt: on the clock of performance.now() [ms]
 */

/** Tells "status" (Status), "state" (ReceiverState), "event" (ReceiverEvent) and "picture" (LivePicture). */
export class Connection {
  /** @type {Record<string, (detail: any) => void>} */
  #listeners = {};
  /** @type {WebSocket | null} */
  #socket = null;
  #everOpened = false;
  #attempts = 0;
  #retry = 0;
  #watchdog = 0;
  #choice;
  #polling = new Polling((name, detail) => this.#tell(name, detail));

  /** @type {Status} */
  status = { kind: "connecting", retryAt: null };

  /** @param {Choice} choice which pictures to ask for */
  constructor(choice) {
    this.#choice = choice;
    addEventListener("online", () => this.retryNow());
  }

  /**
   * Says who is told of something.
   * @param {"status" | "state" | "event" | "picture"} name
   * @param {(detail: any) => void} listener
   */
  listen(name, listener) {
    this.#listeners[name] = listener;
  }

  /** Opens it. */
  start() {
    this.#open();
  }

  /**
   * Asks for other pictures.
   * @param {Choice} choice
   */
  choose(choice) {
    this.#choice = choice;
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ type: "choose", ...choice }));
    }
  }

  /** Lets it go, because nobody looks. */
  pause() {
    this.#drop();
    this.#polling.stop();
    this.#become("paused");
  }

  /** Takes it up again at once, if it is lost or was let go. */
  retryNow() {
    if (this.status.kind === "live" || this.status.kind === "connecting") return;
    this.#attempts = 0;
    this.#open();
  }

  #open() {
    this.#drop();
    if (!["lost", "full", "fallback"].includes(this.status.kind)) this.#become("connecting");
    const address = new URL("/api/live", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.search = new URLSearchParams(this.#choice).toString();
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (message) => this.#take(message.data);
    socket.onclose = (close) => this.#closed(close.code);
    socket.onopen = () => {
      this.#everOpened = true;
    };
    this.#socket = socket;
    this.#watch();
  }

  /** Gives a socket up without hearing from it again. */
  #drop() {
    clearTimeout(this.#retry);
    clearTimeout(this.#watchdog);
    if (!this.#socket) return;
    this.#socket.onmessage = this.#socket.onclose = this.#socket.onopen = null;
    this.#socket.close();
    this.#socket = null;
  }

  #watch() {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      this.#drop();
      this.#closed(0);
    }, SILENT_MS);
  }

  /** @param {string | ArrayBuffer} data */
  #take(data) {
    this.#watch();
    if (this.status.kind !== "live") {
      this.#attempts = 0;
      this.#polling.stop();
      this.#become("live");
    }
    if (typeof data !== "string") {
      this.#tell("picture", readPicture(data));
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "state") this.#tell("state", message);
    if (message.type === "event") this.#tell("event", message.event);
  }

  /** @param {number} code of the closing, 0 where the other side has gone silent */
  async #closed(code) {
    clearTimeout(this.#watchdog);
    this.#socket = null;
    if (code === NO_SESSION) {
      goToLogin();
      return;
    }
    this.#attempts += 1;
    if (code === NO_ROOM) {
      this.#again("full", LAST_RETRY_MS);
    } else if (this.status.kind === "fallback") {
      this.#again("fallback", NEXT_ATTEMPT_IN_FALLBACK_MS);
    } else if (!this.#everOpened && this.#attempts >= ATTEMPTS_BEFORE_FALLBACK && (await answers())) {
      if (this.#socket) return; // tried again in the meantime
      this.#polling.start();
      this.#again("fallback", NEXT_ATTEMPT_IN_FALLBACK_MS);
    } else {
      const wait = Math.min(FIRST_RETRY_MS * 2 ** (this.#attempts - 1), LAST_RETRY_MS);
      this.#again("lost", wait * (0.8 + 0.4 * Math.random())); // not all viewers at once
    }
  }

  /**
   * @param {StatusKind} kind
   * @param {number} waitMs
   */
  #again(kind, waitMs) {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#open(), waitMs);
    this.#become(kind, performance.now() + waitMs);
  }

  /**
   * @param {StatusKind} kind
   * @param {number | null} [retryAt]
   */
  #become(kind, retryAt = null) {
    this.status = { kind, retryAt };
    this.#tell("status", this.status);
  }

  /**
   * @param {string} name
   * @param {unknown} detail
   */
  #tell(name, detail) {
    this.#listeners[name]?.(detail);
  }
}

/** Whether the receiver answers by plain HTTP. */
async function answers() {
  try {
    await getJson("/api/state");
    return true;
  } catch {
    return false;
  }
}

/** Asking a sender over the back-channel: for a still, or to look at a part of the picture. */

import { note } from "./announcer.js";
import { HttpError, postJson } from "./api.js";
import { byId, icon, make, setText } from "./dom.js";
import { RegionPicker, place } from "./region.js";
import { duration, size, t } from "./texts.js";

const STILL_BYTES = [600, 1200, 2400, 4800, 9600];
const USUAL_BYTES = 1200;
const WATCH_S = 60;
const ANSWERED_SHOWN_MS = 15_000;
// A still takes a quarter of the air, and its packets half as much again as its file: 1200 bytes at 960 bit/s a minute.
const AIR_PER_BYTE_BITS = 48;

/** @typedef {import("./region.js").Region} Region */
/** @typedef {{what: "still" | "watch", sender: string, askedAt: number, line: HTMLElement, words: HTMLElement, answered: boolean}} Request */

export class Asking {
  #picker = new RegionPicker();
  #form = byId("ask");
  /** @type {Region | null} */
  #region = null;
  #sender;
  #bitrate_bps = 960;
  /** @type {Request[]} */
  #requests = [];
  /** @type {{until: number} | null} */
  #watched = null;

  /** @param {() => string | null} sender tells whose picture is on show */
  constructor(sender) {
    this.#sender = sender;
    byId("ask-still").addEventListener("click", () => this.toggleStill());
    byId("ask-watch").addEventListener("click", () => this.toggleWatch());
    byId("ask-cancel").addEventListener("click", () => this.#endStill());
    byId("ask-clear").addEventListener("click", () => this.#picker.clear());
    byId("unwatch").addEventListener("click", () => this.#watch([0, 0, 1, 1], 0));
    this.#form.addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      this.#askStill();
    });
    this.#form.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") this.#endStill();
    });
  }

  /** @param {import("./wire.js").ReceiverState} state */
  update(state) {
    for (const id of ["ask-still", "ask-watch"]) byId(id).hidden = !state.can.ask;
    if (!state.can.ask) this.cancel();
    const port = state.senders.find((sender) => sender.name === this.#sender())?.port;
    const { bitrate_bps } = state.link.lines.find((line) => line.port === port) ?? state.link;
    if (bitrate_bps === this.#bitrate_bps && byId("ask-size").options.length) return;
    this.#bitrate_bps = bitrate_bps;
    const options = STILL_BYTES.map((bytes) => {
      const time = duration((bytes * AIR_PER_BYTE_BITS) / this.#bitrate_bps);
      const selected = bytes === USUAL_BYTES;
      return make("option", { value: String(bytes), selected }, t("ask.size_takes", { size: size(bytes), time }));
    });
    byId("ask-size").replaceChildren(...options);
  }

  /** @param {boolean} anybody whether there is a sender to ask */
  allow(anybody) {
    byId("ask-still").disabled = byId("ask-watch").disabled = !anybody;
  }

  /** Brings ages and counts up to date. */
  tick() {
    for (const request of this.#requests) {
      if (request.answered) continue;
      const age = duration((performance.now() - request.askedAt) / 1000);
      setText(request.words, t(`request.${request.what}`, { sender: request.sender, age }));
    }
    if (!this.#watched) return;
    const left_s = (this.#watched.until - performance.now()) / 1000;
    if (left_s <= 0) this.#showWatched(null, 0);
    else setText(byId("watched-label"), t("watch.left", { time: duration(Math.ceil(left_s)) }));
  }

  /** Opens what asks for a still, or closes it. */
  toggleStill() {
    if (byId("ask-still").hidden || byId("ask-still").disabled) return;
    if (!this.#form.hidden) {
      this.#endStill();
      return;
    }
    this.cancel();
    this.#form.hidden = false;
    byId("toolbar").hidden = true;
    byId("ask-still").setAttribute("aria-expanded", "true");
    this.#picker.begin(t("ask.hint"), {
      onChange: (region) => {
        this.#region = region;
        byId("ask-clear").disabled = region === null;
      },
      onDone: () => byId("ask-send").focus(),
      onCancel: () => this.#endStill(),
    });
    byId("ask-send").focus();
  }

  /** Lets the viewer choose where to look, or ends that. */
  toggleWatch() {
    if (byId("ask-watch").hidden || byId("ask-watch").disabled) return;
    const before = byId("ask-watch").getAttribute("aria-pressed") === "true";
    this.cancel();
    if (before) return;
    byId("ask-watch").setAttribute("aria-pressed", "true");
    /** @type {Region | null} */
    let chosen = null;
    this.#picker.begin(t("watch.hint", { time: duration(WATCH_S) }), {
      onChange: (region) => (chosen = region),
      onDone: () => {
        if (chosen) this.#watch(chosen, WATCH_S);
        this.cancel();
      },
      onCancel: () => this.cancel(),
    });
    this.#picker.focus();
  }

  /** Ends whatever is being chosen; returns whether anything was. */
  cancel() {
    const active = this.#picker.active;
    this.#endStill();
    byId("ask-watch").setAttribute("aria-pressed", "false");
    this.#picker.end();
    return active;
  }

  /**
   * Takes an event that says what became of a command.
   * @param {import("./wire.js").ReceiverEvent} event
   */
  answered(event) {
    const name = `${event.callsign}-${event.sender}`;
    const request = this.#requests.find((each) => !each.answered && each.what === event.command && each.sender === name);
    if (!request) return;
    request.answered = true;
    request.line.dataset.outcome = event.outcome;
    setText(request.words, t(`answer.${request.what}.${event.outcome}`, { sender: name }));
    if (request.what === "watch" && event.outcome !== "done") this.#showWatched(null, 0);
    this.#forgetLater(request);
  }

  #endStill() {
    if (this.#form.hidden) return;
    this.#form.hidden = true;
    byId("toolbar").hidden = false;
    byId("ask-still").setAttribute("aria-expanded", "false");
    this.#picker.end();
    byId("ask-still").focus({ preventScroll: true });
  }

  #askStill() {
    const sender = this.#sender();
    const region = this.#region;
    const still_bytes = Number(byId("ask-size").value);
    this.#endStill();
    if (sender) this.#post({ what: "still", sender, still_bytes, region });
  }

  /**
   * @param {Region} region
   * @param {number} seconds 0 to end it
   */
  #watch(region, seconds) {
    const sender = this.#sender();
    if (!sender) return;
    this.#post({ what: "watch", sender, region, seconds });
    this.#showWatched(seconds ? region : null, seconds);
  }

  /**
   * @param {Region | null} region
   * @param {number} seconds
   */
  #showWatched(region, seconds) {
    this.#watched = region ? { until: performance.now() + 1000 * seconds } : null;
    byId("watched").hidden = region === null;
    byId("unwatch").hidden = region === null;
    if (region) place(byId("watched"), region);
  }

  /** @param {{what: "still" | "watch", sender: string, [argument: string]: any}} request */
  async #post(request) {
    try {
      await postJson("/api/ask", request);
    } catch (error) {
      const key = error instanceof HttpError && error.status === 409 ? "ask.no_back_channel" : "ask.failed";
      note(t(key), "bad");
      return;
    }
    const words = make("span");
    const line = make("li", {}, icon(request.what === "still" ? "still" : "watch"), words);
    byId("requests").append(line);
    const kept = { what: request.what, sender: request.sender, askedAt: performance.now(), line, words, answered: false };
    this.#requests.push(kept);
    this.tick();
  }

  /** @param {Request} request */
  #forgetLater(request) {
    setTimeout(() => {
      request.line.remove();
      this.#requests = this.#requests.filter((each) => each !== request);
    }, ANSWERED_SHOWN_MS);
  }
}

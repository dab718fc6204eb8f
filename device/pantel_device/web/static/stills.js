/** The stills: a row of them by time, the one that grows first, and each of them large. */

import { getJson } from "./api.js";
import { byId, make, setAttribute, setText } from "./dom.js";
import { senderOfEvent } from "./event_words.js";
import { clockTime, percent, size, t } from "./texts.js";

const AT_ONCE = 24;
const GROWS_EVERY_MS = 3000; // as often as the receiver draws it anew

/** @typedef {{name: string, sender: string | null, utc: string, width_px: number, height_px: number, bytes: number, growing: boolean}} Still */

export class StillTimeline {
  /** @type {Still[]} the newest first */
  #stills = [];
  #limit = AT_ONCE;
  #list = byId("still-list");
  #dialog = byId("still-dialog");
  #open = 0;
  #loading = false;
  #again = false;
  #grownAt = 0;
  /** @type {{sender: string | null, share: number} | null} of the one that grows */
  #progress = null;

  constructor() {
    byId("stills-more").addEventListener("click", () => {
      this.#limit += AT_ONCE;
      this.#show();
    });
    byId("still-newer").addEventListener("click", () => this.#turn(-1));
    byId("still-older").addEventListener("click", () => this.#turn(1));
    this.#dialog.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "ArrowLeft") this.#turn(-1);
      if (event.key === "ArrowRight") this.#turn(1);
    });
  }

  /** Fetches the list; asked again meanwhile, once more afterwards. */
  async load() {
    if (this.#loading) {
      this.#again = true;
      return;
    }
    this.#loading = true;
    try {
      this.#stills = (await getJson("/api/stills")).stills;
      this.#show();
    } catch (error) {
      console.warn("stills could not be fetched:", error);
    }
    this.#loading = false;
    if (this.#again) {
      this.#again = false;
      this.load();
    }
  }

  /**
   * Takes an event that tells of a still.
   * @param {import("./wire.js").ReceiverEvent} event
   */
  take(event) {
    if (event.kind === "still") {
      this.#progress = null;
      // It is written to the folder a little after it has arrived.
      this.load();
      setTimeout(() => this.load(), GROWS_EVERY_MS);
      return;
    }
    this.#progress = { sender: senderOfEvent(event), share: Math.min(event.symbols / event.symbols_needed, 1) };
    this.#tellProgress();
    if (performance.now() - this.#grownAt > GROWS_EVERY_MS) {
      this.#grownAt = performance.now();
      this.load();
    }
  }

  #show() {
    const stills = this.#stills.slice(0, this.#limit);
    const kept = new Map([...this.#list.children].map((item) => [item.dataset.key, item]));
    // A still that is there keeps its element, so that nobody who is at it loses it.
    this.#list.replaceChildren(...stills.map((still, index) => this.#item(kept.get(keyOf(still)), still, index)));
    byId("stills-none").hidden = stills.length > 0;
    byId("stills-more").hidden = this.#stills.length <= this.#limit;
    this.#tellProgress();
  }

  /**
   * @param {HTMLElement | undefined} kept
   * @param {Still} still
   * @param {number} index
   */
  #item(kept, still, index) {
    const item = kept ?? make("li", { class: "still", "data-key": keyOf(still) });
    if (!kept) {
      const image = make("img", { alt: "", loading: "lazy", src: addressOf(still) });
      if (still.width_px) Object.assign(image, { width: still.width_px, height: still.height_px });
      const words = make("span", { class: "still-time" }, still.growing ? t("stills.growing") : clockTime(still.utc));
      const button = make("button", { type: "button" }, image, words);
      if (still.growing) button.append(make("progress", { max: 1, "aria-label": t("stills.progress") }));
      item.append(button);
    }
    const button = /** @type {HTMLButtonElement} */ (item.firstElementChild);
    button.setAttribute("aria-label", titleOf(still));
    button.onclick = () => this.#openAt(index);
    return item;
  }

  #tellProgress() {
    const bar = this.#list.querySelector("progress");
    if (!bar) return;
    const words = bar.parentElement?.querySelector(".still-time");
    if (this.#progress) bar.value = this.#progress.share;
    else bar.removeAttribute("value");
    if (words) setText(words, this.#progress ? t("stills.grown", { share: percent(this.#progress.share) }) : t("stills.growing"));
  }

  /** @param {number} step */
  #turn(step) {
    const index = this.#open + step;
    if (index >= 0 && index < this.#stills.length) this.#openAt(index);
  }

  /** @param {number} index */
  #openAt(index) {
    const still = this.#stills[index];
    this.#open = index;
    const image = byId("still-image");
    image.src = addressOf(still);
    image.alt = titleOf(still);
    setText(byId("still-title"), titleOf(still));
    const about = still.bytes ? [size(still.bytes)] : [];
    if (still.width_px) about.unshift(`${still.width_px} × ${still.height_px}`);
    setText(byId("still-about"), about.join(" · "));
    byId("still-newer").disabled = index === 0;
    byId("still-older").disabled = index === this.#stills.length - 1;
    const base = still.name.replace(/\.(png|ptl)$/, "");
    setAttribute(byId("still-png"), "href", `/stills/${encodeURIComponent(base)}.png?download=1`);
    setAttribute(byId("still-ptl"), "href", `/stills/${encodeURIComponent(base)}.ptl?download=1`);
    byId("still-ptl").hidden = still.growing;
    if (!this.#dialog.open) this.#dialog.showModal();
  }
}

/** @param {Still} still */
function keyOf(still) {
  return still.growing ? `${still.name} ${still.utc} ${still.bytes}` : still.name;
}

/** @param {Still} still */
function addressOf(still) {
  const base = still.name.replace(/\.(png|ptl)$/, "");
  // The one that grows is another picture every time, under one name.
  return `/stills/${encodeURIComponent(base)}.png${still.growing ? `?grown=${encodeURIComponent(still.utc)}-${still.bytes}` : ""}`;
}

/** @param {Still} still */
function titleOf(still) {
  const time = clockTime(still.utc);
  return still.growing ? t("stills.growing") : t("stills.title", { sender: still.sender ?? "", time });
}

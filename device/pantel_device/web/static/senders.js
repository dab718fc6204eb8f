/** The senders that are heard: which of them is on show, and what each tells of itself. */

import { byId, make, setAttribute, setText } from "./dom.js";
import { telemetryWords } from "./event_words.js";
import { qualityWords } from "./link.js";
import { duration, t } from "./texts.js";

/** @typedef {import("./wire.js").SenderState} SenderState */

export const AUTO = "auto";

const NAME = /^[A-Z0-9/.-]{1,9}-[0-9]{1,2}$/;

/** Returns the sender that the page's address names, such as #K1ABC-0, so that a bookmark keeps it; null for none. */
function senderInAddress() {
  const name = location.hash.slice(1).replaceAll("%2F", "/");
  return NAME.test(name) ? name : null;
}

export class SenderChoice {
  #box = byId("sender-choice");
  #onChoose;
  #names = "";
  chosen = senderInAddress() ?? AUTO;

  /** @param {(name: string) => void} onChoose */
  constructor(onChoose) {
    this.#onChoose = onChoose;
    addEventListener("hashchange", () => {
      const name = senderInAddress();
      if (name) this.choose(name);
    });
  }

  /** @param {SenderState[]} senders */
  update(senders) {
    const names = [AUTO, ...senders.map((sender) => sender.name)];
    if (!names.includes(this.chosen)) names.push(this.chosen);
    if (names.join(" ") !== this.#names) {
      this.#names = names.join(" ");
      this.#box.replaceChildren(...names.map((name) => this.#chip(name)));
    }
    for (const input of this.#box.querySelectorAll("input")) {
      input.checked = input.value === this.chosen;
      const sender = senders.find((each) => each.name === input.value);
      if (input.value !== AUTO) setAttribute(input.closest("label"), "data-alive", sender?.alive ? "yes" : "no");
    }
  }

  /**
   * Shows a sender.
   * @param {string} name
   */
  choose(name) {
    if (name === this.chosen) return;
    this.chosen = name;
    history.replaceState(null, "", name === AUTO ? location.pathname : `#${encodeURIComponent(name)}`);
    for (const input of this.#box.querySelectorAll("input")) input.checked = input.value === name;
    this.#onChoose(name);
  }

  /**
   * Shows the sender of a place in the list: 0 for the one heard last.
   * @param {number} place
   */
  choosePlace(place) {
    const inputs = this.#box.querySelectorAll("input");
    if (inputs[place]) this.choose(inputs[place].value);
  }

  /** @param {string} name */
  #chip(name) {
    const input = make("input", { type: "radio", name: "sender", value: name });
    input.addEventListener("change", () => this.choose(name));
    const title = name === AUTO ? t("senders.auto_title") : name;
    return make("label", { class: "chip", title }, input, make("span", {}, name === AUTO ? t("senders.auto") : name));
  }
}

/** The cards of all senders: telemetry, the last line of text, when they were heard. */
export class SenderCards {
  #list = byId("sender-list");
  /** @type {Map<string, HTMLElement>} */
  #cards = new Map();

  /**
   * @param {SenderState[]} senders
   * @param {number} since_s how long ago they were so
   */
  update(senders, since_s) {
    byId("senders-none").hidden = senders.length > 0;
    const names = new Set(senders.map((sender) => sender.name));
    for (const [name, card] of this.#cards) {
      if (names.has(name)) continue;
      card.remove();
      this.#cards.delete(name);
    }
    const several = new Set(senders.map((sender) => sender.port)).size > 1;
    for (const sender of senders) {
      const card = this.#cards.get(sender.name) ?? this.#add(sender.name);
      fill(card, sender, since_s, several);
    }
  }

  /** @param {string} name */
  #add(name) {
    const card = make(
      "li",
      { class: "card sender" },
      make("h3", {}, make("span", { class: "dot" }), name),
      make("p", { class: "faint sender-about" }),
      make("p", { class: "sender-message" }),
      make("p", { class: "sender-text" }),
      make("dl", { class: "figures" }),
    );
    this.#cards.set(name, card);
    this.#list.append(card);
    return card;
  }
}

/**
 * @param {HTMLElement} card
 * @param {SenderState} sender
 * @param {number} since_s
 * @param {boolean} several whether not all are heard at one port
 */
function fill(card, sender, since_s, several) {
  setAttribute(card, "data-alive", sender.alive ? "yes" : "no");
  const [about, message, text, figures] = /** @type {HTMLElement[]} */ ([...card.children].slice(1));
  const age = sender.packet_age_s === null ? null : duration(sender.packet_age_s + since_s);
  const heard = age === null ? t("senders.never") : t("senders.heard", { age });
  const words = [heard];
  if (sender.width_px) words.push(`${sender.width_px} × ${sender.height_px}`);
  if (sender.model) words.push(t("senders.model", { model: sender.model }));
  const quality = qualityWords(sender);
  if (quality) words.push(quality);
  if (several && sender.port) words.push(sender.port);
  setText(about, words.join(" · "));
  message.hidden = !sender.message;
  setText(message, sender.message ?? "");
  text.hidden = !sender.text;
  if (sender.text) setText(text, t("senders.text", { text: sender.text.text, age: duration(sender.text.age_s + since_s) }));
  const told = sender.telemetry ? telemetryWords(sender.telemetry) : [];
  if (sender.telemetry) told.push([t("telemetry.age"), duration((sender.telemetry.age_s ?? 0) + since_s)]);
  figures.hidden = told.length === 0;
  if (figures.childElementCount !== told.length) {
    figures.replaceChildren(...told.map(() => make("div", {}, make("dt"), make("dd"))));
  }
  told.forEach(([name, value], index) => {
    const row = figures.children[index];
    setText(/** @type {Element} */ (row.firstElementChild), name);
    setText(/** @type {Element} */ (row.lastElementChild), value);
  });
}

/** The list of what has happened: alarms, stills, lines of text, answers. */

import { getJson } from "./api.js";
import { byId, icon, make } from "./dom.js";
import { GROUPS, groupOf, iconOf, senderOfEvent, threadOf, wordsFor } from "./event_words.js";
import { clockTime, t } from "./texts.js";

const AT_ONCE = 100;
const AT_MOST = 1000; // as many as the receiver keeps

/** @typedef {import("./wire.js").ReceiverEvent} ReceiverEvent */

/**
 * One line of the list: an event, or several that tell of one thing.
 * @typedef {object} Row
 * @property {ReceiverEvent} first
 * @property {ReceiverEvent} last
 * @property {HTMLElement} element
 */

export class EventList {
  /** @type {ReceiverEvent[]} the newest first */
  #events = [];
  #group = "all";
  /** @type {Map<string, Row>} the newest row of each thread */
  #threads = new Map();
  #list = byId("event-list");
  #older = byId("events-older");

  constructor() {
    byId("event-groups").append(...GROUPS.map((group) => this.#choice(group)));
    this.#older.addEventListener("click", () => this.#loadOlder());
  }

  /** Fetches the newest events and shows them instead of those on show. */
  async load() {
    try {
      const { events } = await getJson(`/api/events?limit=${AT_ONCE}`);
      this.#events = events;
      this.#older.hidden = events.length < AT_ONCE;
      this.#show();
    } catch (error) {
      console.warn("events could not be fetched:", error);
    }
  }

  /** @param {ReceiverEvent} event that has just happened */
  add(event) {
    this.#events.unshift(event);
    this.#events.length = Math.min(this.#events.length, AT_MOST);
    if (this.#wanted(event)) this.#put(event, true);
    this.#tellEmpty();
  }

  async #loadOlder() {
    const oldest = this.#events.at(-1);
    if (!oldest) return;
    this.#older.disabled = true;
    try {
      const { events } = await getJson(`/api/events?limit=${AT_ONCE}&before=${oldest.event_number}`);
      this.#events.push(...events);
      this.#older.hidden = events.length < AT_ONCE;
      this.#show();
    } catch (error) {
      console.warn("older events could not be fetched:", error);
    }
    this.#older.disabled = false;
  }

  /** @param {typeof GROUPS[number]} group */
  #choice(group) {
    const input = make("input", { type: "radio", name: "event-group", value: group, checked: group === "all" });
    input.addEventListener("change", () => {
      this.#group = group;
      this.#show();
    });
    return make("label", { class: "chip" }, input, make("span", {}, t(`events.${group}`)));
  }

  /** @param {ReceiverEvent} event */
  #wanted(event) {
    return this.#group === "all" || this.#group === groupOf(event);
  }

  #show() {
    this.#threads.clear();
    this.#list.replaceChildren();
    for (const event of this.#events.filter((each) => this.#wanted(each)).reverse()) this.#put(event, false);
    this.#tellEmpty();
  }

  #tellEmpty() {
    byId("events-none").hidden = this.#list.childElementCount > 0;
  }

  /**
   * Puts an event at the top, or into the row of its thread.
   * @param {ReceiverEvent} event newer than all that are shown
   * @param {boolean} fresh whether it has just happened
   */
  #put(event, fresh) {
    const thread = threadOf(event);
    const row = thread === null ? undefined : this.#threads.get(thread);
    if (row && continues(row.last, event)) {
      row.last = event;
      fill(row);
      if (event.kind !== "alarm") this.#list.prepend(row.element);
      return;
    }
    const made = { first: event, last: event, element: make("li", { class: "event" }) };
    fill(made);
    if (fresh) made.element.classList.add("fresh");
    this.#list.prepend(made.element);
    if (thread !== null) this.#threads.set(thread, made);
    while (this.#list.childElementCount > AT_MOST) this.#list.lastElementChild.remove();
  }
}

/**
 * Whether an event says more of what one before it has told.
 * @param {ReceiverEvent} before
 * @param {ReceiverEvent} event
 */
function continues(before, event) {
  if (event.kind === "alarm") return before.phase === "began" && event.phase === "ended";
  if (event.kind === "still_grows" || event.kind === "still") return before.kind === "still_grows";
  return true;
}

/** @param {Row} row */
function fill({ first, last, element }) {
  const { line, details } = wordsFor(last);
  const sender = senderOfEvent(last);
  const time = (last.kind === "alarm" ? first : last).utc;
  const gone = last.kind === "alarm" && last.phase === "ended" ? ` · ${t("event.alarm_ended")}` : "";
  element.dataset.kind = last.kind;
  if (last.kind === "alarm") element.dataset.phase = last.phase;
  if (last.outcome) element.dataset.outcome = last.outcome;
  element.replaceChildren(
    icon(iconOf(last)),
    make(
      "div",
      { class: "event-words" },
      make("p", { class: "event-line" }, line),
      details ? make("p", { class: "event-details" }, details) : null,
      make("p", { class: "event-place" }, sender ? `${sender} · ` : "", make("time", { dateTime: time }, clockTime(time)), gone),
    ),
  );
}

/** Speaks to those who use a screen reader, and shows short notes to everybody. */

import { byId, make } from "./dom.js";

const SHOWN_MS = 6000;
const AT_MOST = 4;

/**
 * Says something politely, without showing it.
 * @param {string} text
 */
export function announce(text) {
  const line = make("p", {}, text);
  byId("announcer").append(line);
  setTimeout(() => line.remove(), SHOWN_MS);
}

/**
 * Shows a note for some seconds, and says it.
 * @param {string} text
 * @param {"news" | "good" | "bad"} [kind]
 */
export function note(text, kind = "news") {
  const notes = byId("notes");
  const shown = make("p", { class: `note note-${kind}`, "aria-hidden": "true" }, text);
  notes.append(shown);
  while (notes.childElementCount > AT_MOST) notes.firstElementChild.remove();
  setTimeout(() => shown.remove(), SHOWN_MS);
  announce(text);
}

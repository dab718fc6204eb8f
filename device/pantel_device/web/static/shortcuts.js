/** Single keys that do something, unless somebody types, chooses, or has switched them off. */

import { byId } from "./dom.js";
import { prefer, preferences } from "./preferences.js";

/**
 * Listens to keys.
 * @param {Record<string, () => void>} actions by key, in lower case; digits are told to `place`
 * @param {(place: number) => void} place
 */
export function listenToKeys(actions, place) {
  document.addEventListener("keydown", (event) => {
    if (!preferences.shortcuts || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (document.querySelector("dialog[open]") || types(event.target)) return;
    const key = event.key.toLowerCase();
    if (/^[0-9]$/.test(key)) place(Number(key));
    else if (Object.hasOwn(actions, key)) actions[key]();
    else return;
    event.preventDefault();
  });
}

/** @param {EventTarget | null} target */
function types(target) {
  if (!(target instanceof HTMLElement)) return false;
  return target.matches("select, textarea, video, input:not([type=radio], [type=checkbox])");
}

/** Makes the help dialog work: it opens, and has the switch of the shortcuts. */
export function prepareHelp() {
  const dialog = byId("help-dialog");
  byId("help").addEventListener("click", () => dialog.showModal());
  const box = byId("shortcuts-on");
  box.checked = preferences.shortcuts;
  box.addEventListener("change", () => prefer({ shortcuts: box.checked }));
  for (const each of document.querySelectorAll("dialog")) {
    each.querySelector(".close")?.addEventListener("click", () => each.close());
    // A click beside it closes it: there the target is the dialog itself, not what is in it.
    each.addEventListener("click", (event) => event.target === each && each.close());
  }
}

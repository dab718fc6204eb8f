/** What a viewer has chosen, kept by the browser under one key. */

const KEY = "pantel";

/**
 * @typedef {object} Preferences
 * @property {"system" | "light" | "dark"} theme
 * @property {"en" | "zh" | null} language null: that of the browser
 * @property {string | null} view null: that of the receiver
 * @property {{objects: boolean, ages: boolean, madeUp: boolean}} overlay
 * @property {boolean} alerts sound and notification at an alarm
 * @property {boolean} shortcuts whether single keys do something
 */

/** @type {Preferences} */
const DEFAULTS = {
  theme: "system",
  language: null,
  view: null,
  overlay: { objects: true, ages: true, madeUp: true },
  alerts: false,
  shortcuts: true,
};

function stored() {
  try {
    const values = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof values === "object" && values !== null ? values : {};
  } catch {
    return {};
  }
}

/** @type {Preferences} */
export const preferences = { ...DEFAULTS, ...stored() };
preferences.overlay = { ...DEFAULTS.overlay, ...preferences.overlay };

/**
 * Changes some of them and keeps them, if the browser lets us.
 * @param {Partial<Preferences>} changes
 */
export function prefer(changes) {
  Object.assign(preferences, changes);
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // A private window may refuse; the choice then holds until the page is closed.
  }
}

const THEMES = /** @type {const} */ (["system", "light", "dark"]);

/** Goes on to the next theme; theme.js sets it when the page is opened. */
export function nextTheme() {
  const theme = THEMES[(THEMES.indexOf(preferences.theme) + 1) % THEMES.length];
  prefer({ theme });
  document.documentElement.style.colorScheme = theme === "system" ? "" : theme;
}

/** All that the page says, in the viewer's language; numbers and times as that language writes them. */

import { preferences } from "./preferences.js";

/** @type {Record<string, string>} */
let texts = {};

export const LANGUAGES = /** @type {const} */ (["en", "zh"]);

/** @type {"en" | "zh"} */
export const language = preferences.language ?? (/^zh\b/i.test(navigator.language) ? "zh" : "en");
const locale = language === "zh" ? "zh-CN" : /^en\b/i.test(navigator.language) ? navigator.language : "en-GB";

/** Fetches the texts and puts them where the page's HTML asks for them. */
export async function loadTexts() {
  const response = await fetch(`/static/texts/${language}.json`);
  texts = await response.json();
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  for (const element of elements("[data-text]")) element.textContent = t(String(element.dataset.text));
  for (const element of elements("[data-label]")) {
    const label = t(String(element.dataset.label));
    element.setAttribute("aria-label", label);
    if (element.matches("button")) element.title = label;
  }
  for (const element of elements("[data-title]")) element.title = t(String(element.dataset.title));
}

/** @param {string} selector */
function elements(selector) {
  return /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector));
}

/**
 * Returns a text, with values in the place of {names}.
 * @param {string} key one that is missing is shown itself
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * Whether there is a text of that key.
 * @param {string} key
 */
export function hasText(key) {
  return key in texts;
}

/**
 * Returns the name of a class of objects; one that is not known to the page is shown as it came.
 * @param {string | null} name of COCO; empty or null where it is not known
 */
export function className(name) {
  if (!name) return t("class.unknown");
  return hasText(`class.${name}`) ? t(`class.${name}`) : name;
}

const formats = new Map();

/**
 * Returns a number.
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
export function number(value, options = {}) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(locale, options));
  return formats.get(key).format(value);
}

/**
 * @param {number} value
 * @param {"s" | "min" | "h" | "d" | "B" | "kB" | "MB" | "GB"} unit
 * @param {number} digits behind the point
 */
function withUnit(value, unit, digits = 0) {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return t(`unit.${unit}`, { value: number(value, options) });
}

/**
 * Returns a span of time: seconds below 2 minutes, then minutes, hours from 2, days from 2.
 * @param {number} seconds
 * @param {number} [digits] of seconds, behind the point
 */
export function duration(seconds, digits = 0) {
  if (seconds < 120) return withUnit(digits ? seconds : Math.floor(seconds), "s", digits);
  if (seconds < 7200) return withUnit(Math.floor(seconds / 60), "min");
  if (seconds < 172_800) return withUnit(Math.floor(seconds / 3600), "h");
  return withUnit(Math.floor(seconds / 86_400), "d");
}

/**
 * Returns the length of a recording, such as 1:02:05.
 * @param {number} seconds
 */
export function playingTime(seconds) {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}

/**
 * Returns a share as per cent, with two digits that say something.
 * @param {number} share
 */
export function percent(share) {
  return number(share, { style: "percent", maximumSignificantDigits: 2 });
}

/**
 * Returns a size of a file.
 * @param {number} bytes
 */
export function size(bytes) {
  if (bytes < 1000) return withUnit(bytes, "B");
  if (bytes < 1e6) return withUnit(bytes / 1e3, "kB", bytes < 1e4 ? 1 : 0);
  if (bytes < 1e9) return withUnit(bytes / 1e6, "MB", bytes < 1e7 ? 1 : 0);
  return withUnit(bytes / 1e9, "GB", 1);
}

const CLOCK = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });

/**
 * Returns a time of day here, and the day unless it is today.
 * @param {string} utc ISO 8601
 */
export function clockTime(utc) {
  const time = new Date(utc);
  if (Number.isNaN(time.getTime())) return "";
  const today = time.toDateString() === new Date().toDateString();
  return today ? CLOCK.format(time) : `${DAY.format(time)}, ${CLOCK.format(time)}`;
}

/** Choosing a part of the picture: by dragging, by a tap, or with the arrow keys. */

import { byId, setAttribute } from "./dom.js";
import { percent, t } from "./texts.js";

/** @typedef {[number, number, number, number]} Region left, top, right, bottom, as shares of width and height */

const TAPPED = 0.25; // side of what a tap chooses
const SMALLEST = 0.03;
const STEP = 0.02;
const A_DRAG_PX = 6;

/** @typedef {{onChange: (region: Region | null) => void, onDone: () => void, onCancel: () => void}} Listener */

export class RegionPicker {
  #layer = byId("region");
  #box = byId("region-box");
  /** @type {Region | null} */
  #region = null;
  /** @type {Listener | null} */
  #listener = null;
  /** @type {{x: number, y: number, left: number, top: number} | null} where a drag began, in shares and on the screen */
  #from = null;

  constructor() {
    this.#layer.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.#press(event));
    this.#layer.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => this.#drag(event));
    this.#layer.addEventListener("pointerup", (/** @type {PointerEvent} */ event) => this.#release(event));
    this.#layer.addEventListener("pointercancel", () => (this.#from = null));
    this.#layer.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
  }

  /** Whether a region is being chosen. */
  get active() {
    return this.#listener !== null;
  }

  /**
   * Lets the viewer choose.
   * @param {string} hint what is said over the picture meanwhile
   * @param {Listener} listener
   */
  begin(hint, listener) {
    this.#listener = listener;
    this.#set(null);
    byId("region-hint").textContent = hint;
    this.#layer.hidden = false;
  }

  /** Moves the keyboard to the picture. */
  focus() {
    this.#layer.focus({ preventScroll: true });
  }

  /** Ends it. */
  end() {
    this.#listener = null;
    this.#from = null;
    this.#layer.hidden = true;
  }

  /** Takes the region back. */
  clear() {
    this.#set(null);
  }

  /** @param {Region | null} region */
  #set(region) {
    this.#region = region;
    this.#box.hidden = region === null;
    if (region) place(this.#box, region);
    const value = region ? t("region.is", { region: region.map((side) => percent(side)).join(", ") }) : t("region.none");
    setAttribute(this.#layer, "aria-label", `${t("region.label")} ${value}`);
    this.#listener?.onChange(region);
  }

  /** @param {PointerEvent} event */
  #at(event) {
    const { left, top, width, height } = this.#layer.getBoundingClientRect();
    return { x: clamp((event.clientX - left) / width), y: clamp((event.clientY - top) / height) };
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0) return;
    this.#layer.setPointerCapture(event.pointerId);
    this.#from = { ...this.#at(event), left: event.clientX, top: event.clientY };
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (!this.#from || !isDrag(this.#from, event)) return;
    const { x, y } = this.#at(event);
    this.#set(between(this.#from.x, this.#from.y, x, y));
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (!this.#from) return;
    if (!isDrag(this.#from, event)) this.#set(around(this.#from.x, this.#from.y));
    this.#from = null;
    this.#listener?.onDone();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const move = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (move) {
      const region = this.#region ?? around(0.5, 0.5);
      this.#set(event.shiftKey ? grown(region, move) : moved(region, move));
    } else if (event.key === "Enter") {
      if (!this.#region) this.#set(around(0.5, 0.5));
      else this.#listener?.onDone();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.#set(null);
    } else if (event.key === "Escape") {
      this.#listener?.onCancel();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

/**
 * Lays an element over a part of the picture.
 * @param {HTMLElement} element
 * @param {Region} region
 */
export function place(element, [left, top, right, bottom]) {
  element.style.left = `${100 * left}%`;
  element.style.top = `${100 * top}%`;
  element.style.width = `${100 * (right - left)}%`;
  element.style.height = `${100 * (bottom - top)}%`;
}

/**
 * Whether a pointer has gone so far that it was meant.
 * @param {{left: number, top: number}} from
 * @param {PointerEvent} event
 */
function isDrag({ left, top }, event) {
  return Math.hypot(event.clientX - left, event.clientY - top) >= A_DRAG_PX;
}

/** @param {number} share */
function clamp(share) {
  return Math.min(Math.max(share, 0), 1);
}

/**
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 * @returns {Region}
 */
function between(x0, y0, x1, y1) {
  const [left, right] = atLeast(Math.min(x0, x1), Math.max(x0, x1));
  const [top, bottom] = atLeast(Math.min(y0, y1), Math.max(y0, y1));
  return rounded([left, top, right, bottom]);
}

/**
 * @param {number} low
 * @param {number} high
 */
function atLeast(low, high) {
  if (high - low >= SMALLEST) return [low, high];
  const begin = Math.min(low, 1 - SMALLEST);
  return [begin, begin + SMALLEST];
}

/**
 * @param {number} x
 * @param {number} y
 * @returns {Region}
 */
function around(x, y) {
  const left = Math.min(Math.max(x - TAPPED / 2, 0), 1 - TAPPED);
  const top = Math.min(Math.max(y - TAPPED / 2, 0), 1 - TAPPED);
  return rounded([left, top, left + TAPPED, top + TAPPED]);
}

/**
 * @param {Region} region
 * @param {number[]} step
 * @returns {Region}
 */
function moved([left, top, right, bottom], [dx, dy]) {
  const x = Math.min(Math.max(dx, -left), 1 - right);
  const y = Math.min(Math.max(dy, -top), 1 - bottom);
  return rounded([left + x, top + y, right + x, bottom + y]);
}

/**
 * @param {Region} region
 * @param {number[]} step
 * @returns {Region}
 */
function grown([left, top, right, bottom], [dx, dy]) {
  return between(left, top, Math.max(clamp(right + dx), left), Math.max(clamp(bottom + dy), top));
}

/**
 * @param {Region} region
 * @returns {Region}
 */
function rounded(region) {
  return /** @type {Region} */ (region.map((side) => Math.round(1000 * side) / 1000));
}

"""Scripts that tests run in the page, to see what it shows and how it is built."""

from __future__ import annotations

__all__ = ["MARKED_PIXELS", "NO_WEBSOCKET", "SURVEY", "TOO_WIDE", "WATCH_PICTURES"]

# Notes each picture that the page shows: when, and a hash of its pixels.
WATCH_PICTURES = """
const canvas = document.getElementById("pixels");
const small = new OffscreenCanvas(320, 240).getContext("2d", {willReadFrequently: true});
window.seen = [];
new MutationObserver(() => {
  small.drawImage(canvas, 0, 0, 320, 240);
  let hash = 2166136261;
  for (const value of new Uint32Array(small.getImageData(0, 0, 320, 240).data.buffer)) {
    hash = Math.imul(hash ^ value, 16777619);
  }
  window.seen.push([performance.now() / 1000, hash]);
}).observe(canvas, {attributes: true, attributeFilter: ["data-pictures"]});
"""
MARKED_PIXELS = """
const canvas = document.getElementById("overlay");
const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
let marked = 0;
for (let at = 3; at < data.length; at += 4) marked += data[at] > 0;
return marked;
"""
# What a screen reader would call each control, and what of the page's structure it could go by.
SURVEY = """
const shown = (element) => element.checkVisibility({visibilityProperty: true});
const name = (element) => {
  const by = element.getAttribute("aria-labelledby");
  const label = element.labels?.[0]?.textContent ?? element.closest("label")?.textContent;
  return (element.getAttribute("aria-label") || (by && document.getElementById(by)?.textContent) || label
    || element.textContent || element.getAttribute("alt") || "").trim();
};
const all = (selector) => [...document.querySelectorAll(selector)];
const ids = all("[id]").map((element) => element.id);
return {
  language: document.documentElement.lang,
  title: document.title,
  headings: all("h1").filter(shown).length,
  landmarks: ["#app > header", "#app > main", "main > aside", "#app > footer"].filter((each) => all(each).length === 1),
  sections: all("section, aside").filter((each) => shown(each) && !name(each)).map((each) => each.id),
  nameless: all("button, a[href], select, input, summary, [role=img], [tabindex='0']")
    .filter((each) => shown(each) && !name(each)).map((each) => each.outerHTML.slice(0, 120)),
  pictures: all("img:not([alt])").length,
  twice: ids.filter((id, at) => ids.indexOf(id) !== at),
  live: all("[aria-live=polite]").length,
  dangling: all("[aria-labelledby], [aria-describedby], [aria-controls]").flatMap((each) =>
    ["aria-labelledby", "aria-describedby", "aria-controls"].map((attribute) => each.getAttribute(attribute)))
    .filter((id) => id && !document.getElementById(id)),
};
"""
TOO_WIDE = """
const width = document.documentElement.clientWidth;
const out = (element) => {
  const {left, right, width: wide} = element.getBoundingClientRect();
  return wide > 0 && (left < -1 || right > width + 1) && !element.closest(".chips, .still-list, .unseen, .skip");
};
return {
  scrolls: document.documentElement.scrollWidth - width,
  out: [...document.querySelectorAll("button, a, input, select, p, h1, h2, canvas")].filter((each) =>
    each.checkVisibility() && out(each)).map((each) => each.outerHTML.slice(0, 100)),
};
"""
NO_WEBSOCKET = """
window.WebSocket = class extends EventTarget {
  constructor() { super(); setTimeout(() => this.onclose?.({code: 1006}), 10); }
  close() {}
};
"""

/** The recordings: a list, each to be played or downloaded. */

import { getJson } from "./api.js";
import { byId, icon, make, setText } from "./dom.js";
import { clockTime, playingTime, size, t } from "./texts.js";

const EVERY_MS = 60_000; // no event tells that a recording has begun or ended

/**
 * `began_utc` and `seconds` are null where no clock told when it began.
 * @typedef {object} Recording
 * @property {string} name
 * @property {string} sender
 * @property {string | null} began_utc
 * @property {number | null} seconds
 * @property {number} bytes
 * @property {boolean} open
 */

export class Recordings {
  #dialog = byId("recording-dialog");
  #video = byId("recording-video");
  #askedAt = -EVERY_MS;
  #shown = "";

  constructor() {
    this.#dialog.addEventListener("close", () => {
      this.#video.pause();
      this.#video.removeAttribute("src");
      this.#video.load(); // lets go of what was buffered
    });
  }

  /** Fetches the list, if that was not done within the last minute. */
  refresh() {
    if (performance.now() - this.#askedAt > EVERY_MS) this.load();
  }

  /** Fetches the list. */
  async load() {
    this.#askedAt = performance.now();
    try {
      const { recordings } = await getJson("/api/recordings");
      const shown = JSON.stringify(recordings);
      if (shown === this.#shown) return; // nobody who is at it loses his place
      this.#shown = shown;
      byId("recordings-none").hidden = recordings.length > 0;
      byId("recording-list").replaceChildren(...recordings.map((/** @type {Recording} */ each) => this.#row(each)));
    } catch (error) {
      console.warn("recordings could not be fetched:", error);
    }
  }

  /** @param {Recording} recording */
  #row(recording) {
    const { began_utc, seconds } = recording;
    const title = began_utc === null ? recording.name : t("recordings.title", { sender: recording.sender, time: clockTime(began_utc) });
    const about = [seconds === null ? t("recordings.no_clock") : playingTime(seconds), size(recording.bytes)];
    if (recording.open) about.push(t("recordings.open"));
    const play = make("button", { type: "button", class: "icon-button", title: t("recordings.play") }, icon("play"));
    play.setAttribute("aria-label", `${t("recordings.play")}: ${title}`);
    play.addEventListener("click", () => this.#play(recording, title));
    const save = make("a", { class: "icon-button", href: addressOf(recording), download: fileOf(recording) }, icon("download"));
    save.title = t("download");
    save.setAttribute("aria-label", `${t("download")}: ${title}`);
    const words = make("div", { class: "recording-words" }, make("p", {}, title), make("p", { class: "faint" }, about.join(" · ")));
    return make("li", { class: recording.open ? "recording is-open" : "recording" }, words, play, save);
  }

  /**
   * @param {Recording} recording
   * @param {string} title
   */
  #play(recording, title) {
    setText(byId("recording-title"), title);
    this.#video.src = addressOf(recording);
    this.#dialog.showModal();
    this.#video.play().catch(() => {}); // the controls are there where a browser does not want to begin by itself
  }
}

/** @param {Recording} recording */
function fileOf(recording) {
  return recording.name.endsWith(".mp4") ? recording.name : `${recording.name}.mp4`;
}

/** @param {Recording} recording */
function addressOf(recording) {
  return `/recordings/${encodeURIComponent(fileOf(recording))}`;
}

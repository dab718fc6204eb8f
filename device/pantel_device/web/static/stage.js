/** The stage: the live picture with its marks, what is said over it, and what it is for those who do not see it. */

import { bannerFor, missedPort, noticeFor, senderOf } from "./conditions.js";
import { byId, icon, make, setAttribute, setText } from "./dom.js";
import { Motion } from "./motion.js";
import { drawOverlay, madeUpShare, oldestCell_s } from "./overlay.js";
import { PictureView } from "./picture.js";
import { preferences } from "./preferences.js";
import { className, duration, percent, t } from "./texts.js";

const OLD_BACKGROUND_S = 10;
const DESCRIBED_EVERY_MS = 3000; // often enough to be true, too rarely to disturb who reads it

const WORDS = { className, duration };

/** @typedef {import("./wire.js").PictureHeader} PictureHeader */

export class Stage {
  #frame = byId("picture");
  #overlay = byId("overlay");
  #motion = byId("motion");
  /** @type {PictureHeader | null} */
  #header = null;
  /** @type {import("./wire.js").Cells | null} */
  #cells = null;
  #shownAt = 0;
  #describedAt = 0;
  #view = new PictureView(byId("pixels"), (header) => this.#shown(header));
  #fallback = new Motion(this.#motion);

  constructor() {
    new ResizeObserver(() => this.redraw()).observe(this.#frame);
  }

  /** Name of the sender on show; null while there is no picture. */
  get sender() {
    return this.#header?.sender ?? null;
  }

  /** @param {import("./wire.js").LivePicture} picture */
  show(picture) {
    // Cells are told only when they have changed, so those of a picture that is left out count, too.
    if (picture.header.cells) this.#cells = picture.header.cells;
    this.#view.show(picture);
  }

  /** Forgets the picture on show, because another sender is wanted. */
  forget() {
    this.#view.clear();
    this.#header = this.#cells = null;
    this.redraw();
  }

  /**
   * Shows the pictures as a stream of JPEG, or ends that.
   * @param {import("./connection.js").Choice | null} choice
   */
  fallBack(choice) {
    this.#fallback.show(choice);
    this.#motion.hidden = choice === null;
    byId("overlay-parts").hidden = choice !== null;
    if (choice) this.forget();
  }

  /** Draws the marks again: they were switched, or the page has another size. */
  redraw() {
    const { clientWidth: width, clientHeight: height } = this.#frame;
    const density = window.devicePixelRatio || 1;
    const size = [Math.round(width * density), Math.round(height * density)];
    if (this.#overlay.width !== size[0] || this.#overlay.height !== size[1]) {
      [this.#overlay.width, this.#overlay.height] = size;
    }
    const context = this.#overlay.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    if (!this.#header) {
      context.clearRect(0, 0, width, height);
      return;
    }
    const scene = { header: this.#header, cells: this.#cells, scale: width / this.#header.width_px };
    drawOverlay(context, scene, preferences.overlay, WORDS);
  }

  /**
   * Brings everything that is said over the picture up to date.
   * @param {import("./conditions.js").Situation} situation
   * @param {{retryAt: number | null, packetAge_s: number | null}} more
   */
  tell(situation, { retryAt, packetAge_s }) {
    const retry_s = retryAt === null ? 0 : Math.max(retryAt - performance.now(), 0) / 1000;
    const sender = senderOf(situation.state, situation.chosen);
    const values = {
      sender: situation.chosen === "auto" ? (sender?.name ?? "") : situation.chosen,
      port: situation.state ? (missedPort(situation.state, situation.chosen) ?? situation.state.link.port) : "",
      message: sender?.message ?? "",
      age: packetAge_s === null ? "" : duration(packetAge_s),
      wait: duration(Math.ceil(retry_s)),
    };
    const notice = noticeFor(situation);
    tellNotice(notice, values);
    const banner = bannerFor(situation, packetAge_s);
    byId("banner").hidden = banner === null;
    if (banner) setText(byId("banner-text"), t(`banner.${banner}`, values));
    setAttribute(byId("stage"), "data-banner", banner);
    const live = situation.pictured && (banner === null || banner === "quiet");
    byId("hud").hidden = !situation.pictured;
    setAttribute(byId("hud-name"), "data-live", live ? "yes" : "no");
    this.#tellPicture(situation, values.sender);
  }

  /**
   * @param {import("./conditions.js").Situation} situation
   * @param {string} sender
   */
  #tellPicture({ pictured, state }, sender) {
    if (!pictured) {
      setAttribute(this.#frame, "aria-label", t("picture.none"));
      return;
    }
    const header = this.#header;
    // Of motion JPEG nobody tells when a picture came, so there the delay stands for its age.
    const age_s = header
      ? header.time_s - header.shown_s + (performance.now() - this.#shownAt) / 1000
      : (state?.playout_delay_s ?? 0);
    setText(byId("hud-sender"), header?.sender ?? sender);
    setText(byId("hud-delay"), t("hud.delay", { age: duration(age_s, 1) }));
    setText(byId("hud-objects"), header ? objectsInView(header) : "");
    setText(byId("hud-notes"), header && preferences.overlay.ages ? this.#notes(header).join(" · ") : "");
    if (performance.now() - this.#describedAt < DESCRIBED_EVERY_MS) return;
    this.#describedAt = performance.now();
    const description = [t("picture.of", { sender: header?.sender ?? sender, age: duration(age_s, 1) })];
    if (header) description.push(t("picture.objects", { objects: objectsInView(header) || t("picture.nobody") }));
    setAttribute(this.#frame, "aria-label", description.join(" "));
  }

  /** @param {PictureHeader} header */
  #notes(header) {
    const notes = [];
    const oldest_s = oldestCell_s(this.#cells);
    if (oldest_s > OLD_BACKGROUND_S) notes.push(t("hud.background", { age: duration(oldest_s) }));
    const madeUp = madeUpShare(this.#cells);
    if (madeUp > 0) notes.push(t("hud.made_up", { share: percent(madeUp) }));
    return notes;
  }

  /** @param {PictureHeader} header */
  #shown(header) {
    const before = this.#header;
    this.#header = header;
    this.#shownAt = performance.now();
    if (header.width_px !== before?.width_px || header.height_px !== before?.height_px) {
      byId("app").style.setProperty("--ratio", String(header.width_px / header.height_px));
    }
    this.redraw();
    tellAlarms(header.alarms);
  }
}

/** Fills the screen with the stage, or ends that; where a browser cannot, the window is filled. */
export function toggleFullScreen() {
  const stage = byId("stage");
  if (document.fullscreenElement) document.exitFullscreen();
  else if (stage.requestFullscreen) stage.requestFullscreen().catch(() => stage.classList.toggle("fills-window"));
  else stage.classList.toggle("fills-window");
}

/**
 * @param {string | null} notice
 * @param {Record<string, string>} values
 */
function tellNotice(notice, values) {
  const box = byId("notice");
  box.hidden = notice === null;
  if (notice === null) {
    delete box.dataset.notice;
    return;
  }
  setText(byId("notice-title"), t(`notice.${notice}.title`, values));
  setText(byId("notice-text"), t(`notice.${notice}.text`, values));
  if (box.dataset.notice === notice) return; // the checks do not change while one reads them
  box.dataset.notice = notice;
  const checks = t(`notice.${notice}.checks`, values);
  byId("notice-checks").replaceChildren(...checks.split("\n").filter(Boolean).map((check) => make("li", {}, check)));
}

/** @param {import("./wire.js").ShownAlarm[]} alarms */
function tellAlarms(alarms) {
  const box = byId("alarms");
  const lines = alarms.map((alarm) => {
    const where = alarm.zone ? "alarm.in_zone" : "alarm.somewhere";
    return t(where, { object: className(alarm.class), zone: alarm.zone, age: duration(alarm.age_s) });
  });
  const text = lines.join("\n");
  if (box.dataset.text === text) return;
  box.dataset.text = text;
  box.replaceChildren(...lines.map((line) => make("li", {}, icon("alarm"), line)));
}

/** @param {PictureHeader} header */
function objectsInView(header) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const object of header.objects) {
    const name = className(object.class);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => (count > 1 ? t("hud.several", { name, count }) : name)).join(", ");
}

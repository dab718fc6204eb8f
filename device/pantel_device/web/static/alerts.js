/** What an alarm does beside the picture: it is said, and on demand there are two tones and a notification. */

import { announce, note } from "./announcer.js";
import { byId } from "./dom.js";
import { senderOfEvent, wordsFor } from "./event_words.js";
import { prefer, preferences } from "./preferences.js";
import { t } from "./texts.js";

const TONES_HZ = [880, 660];
const TONE_S = 0.18;
const AT_MOST_EVERY_MS = 3000;

export class Alerts {
  #button = byId("alerts");
  /** @type {AudioContext | null} */
  #audio = null;
  #soundedAt = -AT_MOST_EVERY_MS;

  constructor() {
    this.#button.addEventListener("click", () => this.#switch());
    // Browsers allow no sound before the viewer has touched the page.
    document.addEventListener("pointerdown", () => preferences.alerts && this.#wake(), { once: true });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) document.title = t("title");
    });
    this.#tell();
  }

  /** @param {import("./wire.js").ReceiverEvent} event an alarm */
  take(event) {
    if (event.phase !== "began") return;
    const text = t("alerts.alarm", { what: wordsFor(event).line, sender: senderOfEvent(event) ?? "" });
    announce(text);
    if (document.hidden) document.title = `● ${text}`;
    if (!preferences.alerts || performance.now() - this.#soundedAt < AT_MOST_EVERY_MS) return;
    this.#soundedAt = performance.now();
    this.#sound();
    if (document.hidden && "Notification" in window && Notification.permission === "granted") {
      notify(text);
    }
  }

  #switch() {
    prefer({ alerts: !preferences.alerts });
    this.#tell();
    note(t(preferences.alerts ? "alerts.now_on" : "alerts.now_off"));
    if (!preferences.alerts) return;
    this.#wake();
    this.#sound();
    if ("Notification" in window && Notification.permission === "default") Notification.requestPermission();
  }

  #tell() {
    this.#button.setAttribute("aria-pressed", String(preferences.alerts));
    this.#button.querySelector("use").setAttribute("href", preferences.alerts ? "#icon-bell" : "#icon-bell-off");
  }

  #wake() {
    this.#audio ??= new AudioContext();
    this.#audio.resume();
  }

  #sound() {
    if (this.#audio?.state !== "running" && this.#audio?.state !== "suspended") return;
    const audio = this.#audio;
    TONES_HZ.forEach((frequency, index) => {
      const begin = audio.currentTime + index * TONE_S;
      const tone = new OscillatorNode(audio, { frequency });
      const volume = new GainNode(audio, { gain: 0 });
      volume.gain.setTargetAtTime(0.2, begin, 0.01);
      volume.gain.setTargetAtTime(0, begin + TONE_S, 0.03);
      tone.connect(volume).connect(audio.destination);
      tone.start(begin);
      tone.stop(begin + 2 * TONE_S);
    });
  }
}

/** @param {string} text */
function notify(text) {
  try {
    new Notification(t("title"), { body: text, tag: "pantel-alarm" });
  } catch {
    // Browsers on phones have notifications for installed pages alone.
  }
}

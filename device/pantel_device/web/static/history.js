/** The last ten minutes of the link's figures, one a second, kept over a reload of the page. */

const KEPT_S = 600;
const KEY = "pantel-link";

/** @typedef {{at_s: number, rate_bps: number | null, bit_error_rate: number | null, packet_loss: number | null}} Sample */

export class LinkHistory {
  /** @type {Sample[]} the oldest first; times are those of the viewer's clock */
  samples = [];

  constructor() {
    try {
      const stored = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
      this.samples = stored.filter((/** @type {Sample} */ sample) => Number.isFinite(sample.at_s) && sample.at_s <= nowS());
    } catch {
      // Nothing readable is stored: the history begins now.
    }
    addEventListener("pagehide", () => this.#keep());
  }

  /** @param {import("./wire.js").LinkState} link */
  add({ rate_bps, bit_error_rate, packet_loss }) {
    const at_s = nowS();
    this.samples.push({ at_s, rate_bps, bit_error_rate, packet_loss });
    const first = this.samples.findIndex((sample) => sample.at_s > at_s - KEPT_S);
    if (first > 0) this.samples.splice(0, first);
  }

  /**
   * Returns what a curve shows.
   * @param {"rate_bps" | "bit_error_rate" | "packet_loss"} name
   * @returns {{age: number, value: number | null}[]} age: 0 now, 1 ten minutes ago; the oldest first
   */
  curve(name) {
    const now = nowS();
    return this.samples.map((sample) => ({ age: (now - sample.at_s) / KEPT_S, value: sample[name] }));
  }

  #keep() {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.samples));
    } catch {
      // It may be refused or full; then a reload begins anew.
    }
  }
}

function nowS() {
  return Math.round(Date.now() / 100) / 10;
}

/** How the link is: its rate, errors before correction, losses, and whether anything is heard at all. */

import { byId, make, setAttribute, setText } from "./dom.js";
import { LinkHistory } from "./history.js";
import { drawSparkline } from "./sparkline.js";
import { duration, number, percent, t } from "./texts.js";

const MANY_ERRORS = 0.001; // from here on a stronger preset helps
const MANY_LOST = 0.1;
const QUIET_S = 5; // below that nobody need be told
const EMPTY_BAR_S = 30;
const NOTHING = "–";

// What the upper edge of each curve stands for when all is well, so that noise does not fill it.
const TOP = { bit_error_rate: 0.002, packet_loss: 0.1 };

export class LinkPanel {
  #history = new LinkHistory();

  /** @param {import("./wire.js").LinkState} link */
  update(link) {
    this.#history.add(link);
    const { rate_bps, bit_error_rate, packet_loss } = link;
    setText(byId("rate"), rate_bps === null ? NOTHING : number(rate_bps, { maximumFractionDigits: 0 }));
    setText(byId("rate-note"), t("link.rate_of", { bitrate: number(link.bitrate_bps) }));
    setText(byId("errors"), bit_error_rate === null ? NOTHING : percent(bit_error_rate));
    setText(byId("errors-note"), t((bit_error_rate ?? 0) > MANY_ERRORS ? "link.errors_many" : "link.errors_corrected"));
    setAttribute(byId("errors-tile"), "data-level", (bit_error_rate ?? 0) > MANY_ERRORS ? "warn" : null);
    setText(byId("loss"), packet_loss === null ? NOTHING : percent(packet_loss));
    const total = link.packets_good + link.packets_lost;
    setText(byId("loss-note"), t("link.lost_of", { lost: number(link.packets_lost), total: number(total) }));
    setAttribute(byId("loss-tile"), "data-level", (packet_loss ?? 0) > MANY_LOST ? "warn" : null);
    this.#drawCurves(link);
    tellDetails(link);
  }

  /**
   * Tells how long nothing has been heard.
   * @param {number | null} age_s of the newest packet of whomever; null before the first
   * @param {boolean} alive whether that is no reason to worry
   */
  tick(age_s, alive) {
    setText(byId("age"), age_s === null ? NOTHING : duration(age_s, 1));
    const level = age_s === null || !alive ? "bad" : age_s > QUIET_S ? "quiet" : "good";
    setAttribute(byId("age-tile"), "data-level", level);
    setText(byId("age-note"), t(age_s === null ? "link.never" : `link.signal_${level}`));
    byId("age-bar").value = age_s === null ? 0 : Math.max(1 - age_s / EMPTY_BAR_S, 0);
  }

  /** @param {import("./wire.js").LinkState} link */
  #drawCurves(link) {
    for (const name of /** @type {const} */ (["rate_bps", "bit_error_rate", "packet_loss"])) {
      const svg = byId(`curve-${name}`);
      const curve = this.#history.curve(name);
      drawSparkline(svg, curve, name === "rate_bps" ? link.bitrate_bps : TOP[name]);
      setAttribute(svg, "aria-label", describe(name, curve));
    }
  }
}

/**
 * Returns what a curve shows, in words.
 * @param {"rate_bps" | "bit_error_rate" | "packet_loss"} name
 * @param {{value: number | null}[]} curve
 */
function describe(name, curve) {
  const values = curve.flatMap(({ value }) => (value === null ? [] : [value]));
  if (!values.length) return t("link.curve_empty");
  const format = name === "rate_bps" ? (/** @type {number} */ value) => number(Math.round(value)) : percent;
  return t("link.curve", { low: format(Math.min(...values)), high: format(Math.max(...values)) });
}

/** @param {import("./wire.js").LinkState} link */
function tellDetails(link) {
  tellLines(link.lines);
  const counts = [
    ["link.packets_good", link.packets_good],
    ["link.codewords_failed", link.codewords_failed],
    ["link.payloads_damaged", link.payloads_damaged],
  ];
  const list = byId("link-counts");
  if (!list.childElementCount) {
    for (const [key] of counts) list.append(make("div", {}, make("dt", {}, t(String(key))), make("dd")));
  }
  counts.forEach(([, count], index) => setText(list.children[index].lastElementChild, number(Number(count))));
}

/** @param {import("./wire.js").LineState[]} lines */
function tellLines(lines) {
  const list = byId("lines");
  if (list.childElementCount !== lines.length) {
    const parts = () => [make("code"), make("span", { class: "badge" }), make("span", { class: "faint" })];
    list.replaceChildren(...lines.map(() => make("li", {}, ...parts())));
  }
  lines.forEach((line, index) => {
    const [port, badge, quality] = /** @type {HTMLElement[]} */ ([...list.children[index].children]);
    setText(port, line.port);
    setText(badge, t(line.port_up ? "link.port_up" : "link.port_down"));
    setAttribute(badge, "data-level", line.port_up ? "good" : "bad");
    setText(quality, lines.length > 1 ? qualityWords(line) : ""); // of a single line the tiles tell it
  });
}

/**
 * Returns losses and bit errors in words; empty where nothing is known of them.
 * @param {{packet_loss: number | null, bit_error_rate: number | null}} quality
 */
export function qualityWords({ packet_loss, bit_error_rate }) {
  if (packet_loss === null || bit_error_rate === null) return "";
  return t("link.quality", { loss: percent(packet_loss), errors: percent(bit_error_rate) });
}

/** Says in words what an event of the receiver tells. */

import { className, duration, number, percent, size, t, hasText } from "./texts.js";

/** @typedef {import("./wire.js").ReceiverEvent} ReceiverEvent */
/** @typedef {"alarms" | "stills" | "messages" | "commands" | "senders" | "telemetry"} Group */

/** @type {Record<string, {group: Group, icon: string}>} */
const KINDS = {
  alarm: { group: "alarms", icon: "alarm" },
  still: { group: "stills", icon: "still" },
  still_grows: { group: "stills", icon: "still" },
  text: { group: "messages", icon: "text" },
  command: { group: "commands", icon: "command" },
  sender_heard: { group: "senders", icon: "sender" },
  sender_refused: { group: "senders", icon: "warning" },
  model_missing: { group: "senders", icon: "warning" },
  telemetry: { group: "telemetry", icon: "telemetry" },
};

export const GROUPS = /** @type {const} */ (["all", "alarms", "stills", "messages", "commands", "senders", "telemetry"]);

/**
 * @param {ReceiverEvent} event
 * @returns {Group}
 */
export function groupOf(event) {
  return KINDS[event.kind]?.group ?? "senders";
}

/** @param {ReceiverEvent} event */
export function iconOf(event) {
  return KINDS[event.kind]?.icon ?? "sender";
}

/**
 * Returns the name of the sender that an event is about; null for none.
 * @param {ReceiverEvent} event
 */
export function senderOfEvent(event) {
  return event.callsign === undefined ? null : `${event.callsign}-${event.sender}`;
}

/**
 * Returns what several events share that tell of one thing, such as a still that grows; null where each stands alone.
 * @param {ReceiverEvent} event
 */
export function threadOf(event) {
  const sender = senderOfEvent(event);
  if (event.kind === "alarm") return `alarm ${sender} ${event.number}`;
  if (event.kind === "still" || event.kind === "still_grows") return `still ${sender} ${event.block}`;
  if (event.kind === "telemetry") return `telemetry ${sender}`;
  return null;
}

/**
 * Returns the line that says it, and a second one with details, which may be empty.
 * @param {ReceiverEvent} event
 * @returns {{line: string, details: string}}
 */
export function wordsFor(event) {
  switch (event.kind) {
    case "alarm":
      return alarmWords(event);
    case "text":
      return { line: String(event.text), details: "" };
    case "telemetry":
      return { line: t("event.telemetry"), details: telemetryWords(event).map(([name, value]) => `${name} ${value}`).join(" · ") };
    case "still_grows":
      return { line: t("event.still_grows", { share: percent(Math.min(event.symbols / event.symbols_needed, 1)) }), details: "" };
    case "still":
      return { line: t("event.still"), details: "" };
    case "command":
      return commandWords(event);
    case "sender_heard":
      return { line: t("event.sender_heard"), details: `${event.width_px} × ${event.height_px} · ${event.model}` };
    default: {
      const key = `event.${event.kind}`;
      return { line: hasText(key) ? t(key) : event.kind, details: event.message ?? "" };
    }
  }
}

/** @param {ReceiverEvent} event */
function alarmWords(event) {
  const object = capital(className(event.class));
  const line = event.zone ? t("event.alarm_in", { object, zone: event.zone }) : t("event.alarm", { object });
  return { line, details: "" };
}

/** @param {string} text that begins a line */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {ReceiverEvent} event */
function commandWords(event) {
  const what = hasText(`command.${event.command}`) ? t(`command.${event.command}`) : t("command.other");
  const outcome = hasText(`outcome.${event.outcome}`) ? t(`outcome.${event.outcome}`) : String(event.outcome);
  return { line: t("event.command", { what, outcome }), details: event.message ?? "" };
}

/** @type {Record<string, (value: number) => string>} */
const QUANTITIES = {
  battery_v: (value) => `${number(value, { maximumFractionDigits: 2 })} V`,
  temperature_c: (value) => `${number(value, { maximumFractionDigits: 1 })} °C`,
  cpu_temperature_c: (value) => `${number(value, { maximumFractionDigits: 1 })} °C`,
  uptime_s: (value) => duration(value),
  disk_free_mib: (value) => size(value * 1_048_576),
  latitude_deg: (value) => `${number(value, { minimumFractionDigits: 5, maximumFractionDigits: 5 })}°`,
  longitude_deg: (value) => `${number(value, { minimumFractionDigits: 5, maximumFractionDigits: 5 })}°`,
  altitude_m: (value) => `${number(value)} m`,
};

/**
 * Returns what a sender has told of itself, as pairs of name and value.
 * @param {Record<string, any>} values
 * @returns {[string, string][]}
 */
export function telemetryWords(values) {
  return Object.entries(QUANTITIES)
    .filter(([key]) => typeof values[key] === "number")
    .map(([key, format]) => [t(`telemetry.${key}`), format(values[key])]);
}

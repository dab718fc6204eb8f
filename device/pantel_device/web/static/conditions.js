/** Decides what the page says over the picture when there is none, or none that is new. */

const QUIET_S = 5;

/**
 * @typedef {object} Situation
 * @property {import("./connection.js").StatusKind} status
 * @property {import("./wire.js").ReceiverState | null} state
 * @property {string} chosen name of a sender, or "auto"
 * @property {boolean} pictured whether a picture of that sender is on show
 */

/**
 * Returns the sender that is on show, or would be; null while it is not known.
 * @param {import("./wire.js").ReceiverState | null} state
 * @param {string} chosen
 */
export function senderOf(state, chosen) {
  const name = chosen === "auto" ? state?.heard_last : chosen;
  return state?.senders.find((sender) => sender.name === name) ?? null;
}

/**
 * Returns the port that is missed: that at which the sender on show is heard, or all of them; null for none.
 * @param {import("./wire.js").ReceiverState} state
 * @param {string} chosen
 */
export function missedPort(state, chosen) {
  const port = senderOf(state, chosen)?.port;
  const line = state.link.lines.find((each) => each.port === port) ?? state.link;
  return line.port_up ? null : line.port;
}

/**
 * Returns what to say instead of a picture: the last part of a key of the texts "notice.…"; null for nothing.
 * @param {Situation} situation
 * @returns {"connecting" | "lost" | "full" | "port" | "nothing" | "unheard" | "message" | "silent" | "soon" | null}
 */
export function noticeFor({ status, state, chosen, pictured }) {
  if (status === "full") return "full";
  if (pictured) return null;
  if (status === "lost") return "lost";
  if (!state) return "connecting";
  const sender = senderOf(state, chosen);
  if (sender?.message && !isSilent(sender)) return "message";
  if (missedPort(state, chosen) !== null) return "port";
  if (state.senders.length === 0) return "nothing";
  if (!sender) return chosen === "auto" ? "nothing" : "unheard";
  if (!sender.alive) return "silent";
  return "soon";
}

/**
 * Returns what to say below a picture that may be old: the last part of a key of the texts "banner.…"; null for nothing.
 * @param {Situation} situation
 * @param {number | null} packetAge_s of the sender on show
 * @returns {"lost" | "port" | "message" | "silent" | "quiet" | null} quiet: as when nothing changes before the camera
 */
export function bannerFor({ status, state, chosen, pictured }, packetAge_s) {
  if (!pictured) return null;
  if (status === "lost") return "lost";
  if (state && missedPort(state, chosen) !== null) return "port";
  const sender = senderOf(state, chosen);
  if (sender?.message && !isSilent(sender)) return "message";
  if (packetAge_s === null || packetAge_s <= QUIET_S) return null;
  return sender?.alive ? "quiet" : "silent";
}

/**
 * Whether a sender was heard once, and is not any more: then a message about it says nothing.
 * @param {import("./wire.js").SenderState} sender
 */
function isSilent({ alive, packet_age_s }) {
  return !alive && packet_age_s !== null;
}

/**
 * What the receiver sends over the live connection, as docs/page.md says.
 *
 * @typedef {[number, number, number, number]} BoxPx left, top, right, bottom
 *
 * @typedef {object} ShownObject
 * @property {number} id
 * @property {string | null} class
 * @property {BoxPx} box_px
 * @property {number} age_s of its place or its looks
 * @property {boolean} expected no news of its place is as new as the picture
 *
 * @typedef {object} ShownAlarm
 * @property {string} zone
 * @property {string | null} class
 * @property {BoxPx} box_px
 * @property {number} age_s
 *
 * @typedef {object} Cells
 * @property {number} px side of a cell
 * @property {number} rows
 * @property {number} columns
 * @property {(number | null)[]} age_s row by row; null: never received
 *
 * @typedef {object} PictureHeader
 * @property {string} sender
 * @property {string} view
 * @property {number} width_px
 * @property {number} height_px
 * @property {number} time_s when it was drawn
 * @property {number} shown_s the time whose scene it shows
 * @property {number} content_age_s
 * @property {ShownObject[]} objects
 * @property {ShownAlarm[]} alarms
 * @property {Cells | null} cells null: as before
 *
 * @typedef {object} LivePicture
 * @property {PictureHeader} header
 * @property {Blob} jpeg
 *
 * @typedef {{kind: string, event_number: number, utc: string, monotonic_s: number, [field: string]: any}} ReceiverEvent
 *
 * @typedef {object} SenderState
 * @property {string} name
 * @property {string} callsign
 * @property {number} number
 * @property {number | null} width_px null before it has introduced itself
 * @property {number | null} height_px
 * @property {string | null} model
 * @property {number | null} epoch
 * @property {number | null} packet_age_s
 * @property {number | null} content_age_s
 * @property {boolean} alive
 * @property {Record<string, number> | null} telemetry
 * @property {{text: string, age_s: number} | null} text
 * @property {string | null} message why nothing of it can be shown
 * @property {string | null} port at which it is heard
 * @property {number | null} bit_error_rate of the last minute
 * @property {number | null} packet_loss of the last minute
 *
 * @typedef {object} LineState
 * @property {number} bitrate_bps
 * @property {number | null} rate_bps
 * @property {number | null} bit_error_rate
 * @property {number | null} packet_loss
 * @property {number} packets_good
 * @property {number} packets_lost
 * @property {number} codewords_failed
 * @property {number} payloads_damaged
 * @property {string} port
 * @property {boolean} port_up
 *
 * @typedef {LineState & {lines: LineState[]}} LinkState all lines together, and each
 *
 * @typedef {object} ReceiverState
 * @property {string} version
 * @property {string} utc
 * @property {number} monotonic_s
 * @property {string | null} heard_last
 * @property {SenderState[]} senders
 * @property {LinkState} link
 * @property {string[]} views
 * @property {number} playout_delay_s
 * @property {{ask: boolean, stills: boolean, recordings: boolean, log_out: boolean}} can
 */

const LENGTH_OCTETS = 4;

/**
 * Takes a binary message apart: the length of a JSON header, the header, a JPEG.
 * @param {ArrayBuffer} message
 * @returns {LivePicture}
 * @throws {Error} it is something else
 */
export function readPicture(message) {
  const length = new DataView(message).getUint32(0);
  const end = LENGTH_OCTETS + length;
  if (end >= message.byteLength) throw new RangeError("the header is longer than the message");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(message, LENGTH_OCTETS, length)));
  return { header, jpeg: new Blob([new Uint8Array(message, end)], { type: "image/jpeg" }) };
}

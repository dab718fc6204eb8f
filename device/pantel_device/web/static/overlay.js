/**
 * Marks over the picture that tell what was received, what is old and what is only expected: those that `pantel receive
 * --overlay` draws into its file.
 */

/**
 * @typedef {object} Parts which marks are wanted
 * @property {boolean} objects
 * @property {boolean} ages
 * @property {boolean} madeUp
 *
 * @typedef {object} Words how they are labelled
 * @property {(name: string | null) => string} className
 * @property {(seconds: number) => string} duration
 */

const OLD_OBJECT_S = 2; // what is younger needs no mention

const KNOWN = "#78ff78";
const EXPECTED = "#ffbe3c";
const ALARM = "#ff4d4d";
const RIM = "rgb(0 0 0 / 75%)";
const GROUND = "rgb(8 12 15 / 78%)";

const FONT_PX = 13;
const HATCH_PX = 10;

/**
 * Draws all marks.
 * @param {CanvasRenderingContext2D} context whose unit is a CSS pixel; it is cleared
 * @param {object} scene
 * @param {import("./wire.js").PictureHeader} scene.header
 * @param {import("./wire.js").Cells | null} scene.cells
 * @param {number} scene.scale CSS pixels to a pixel of the picture
 * @param {Parts} parts
 * @param {Words} words
 */
export function drawOverlay(context, { header, cells, scale }, parts, words) {
  const width = header.width_px * scale;
  const height = header.height_px * scale;
  context.clearRect(0, 0, width, height);
  if (parts.madeUp && cells) hatch(context, cells, header, scale);
  if (parts.objects) {
    for (const object of header.objects) outline(context, object.box_px, scale, object.expected ? EXPECTED : KNOWN, object.expected);
    for (const alarm of header.alarms) outline(context, alarm.box_px, scale, ALARM, false);
  }
  if (!parts.objects && !parts.ages) return;
  for (const object of header.objects) {
    const label = [];
    if (parts.objects && object.class) label.push(words.className(object.class));
    if (parts.ages && object.age_s > OLD_OBJECT_S) label.push(words.duration(object.age_s));
    if (label.length && inside(object.box_px, header)) {
      write(context, label.join(" "), object.box_px, scale, width, object.expected ? EXPECTED : KNOWN);
    }
  }
}

/**
 * Returns the age of the oldest part of the background that was received [s].
 * @param {import("./wire.js").Cells | null} cells
 */
export function oldestCell_s(cells) {
  return (cells?.age_s ?? []).reduce((/** @type {number} */ oldest, age) => Math.max(oldest, age ?? 0), 0);
}

/**
 * Returns the share of the background that was never received.
 * @param {import("./wire.js").Cells | null} cells
 */
export function madeUpShare(cells) {
  return cells ? cells.age_s.filter((age) => age === null).length / Math.max(cells.age_s.length, 1) : 0;
}

/**
 * @param {import("./wire.js").BoxPx} box
 * @param {import("./wire.js").PictureHeader} header
 */
function inside([left, top, right, bottom], header) {
  return right > 0 && bottom > 0 && left < header.width_px && top < header.height_px;
}

/**
 * Draws a box with a dark rim, which keeps it visible on any ground.
 * @param {CanvasRenderingContext2D} context
 * @param {import("./wire.js").BoxPx} box
 * @param {number} scale
 * @param {string} colour
 * @param {boolean} dashed
 */
function outline(context, box, scale, colour, dashed) {
  const [left, top, right, bottom] = box.map((edge) => edge * scale);
  context.setLineDash(dashed ? [7, 5] : []);
  for (const [lineWidth, style] of /** @type {[number, string][]} */ ([[4.5, RIM], [2, colour]])) {
    context.lineWidth = lineWidth;
    context.strokeStyle = style;
    context.strokeRect(left, top, right - left, bottom - top);
  }
  context.setLineDash([]);
}

/**
 * Writes a label above the upper left corner of a box, or inside it where there is no room above.
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {import("./wire.js").BoxPx} box
 * @param {number} scale
 * @param {number} width of the picture [CSS px]
 * @param {string} colour
 */
function write(context, text, box, scale, width, colour) {
  context.font = `600 ${FONT_PX}px system-ui, sans-serif`;
  const wide = context.measureText(text).width + 10;
  const high = FONT_PX + 7;
  const left = Math.max(Math.min(box[0] * scale - 1, width - wide), 0);
  const above = box[1] * scale - high - 2;
  const top = above >= 0 ? above : Math.max(box[1] * scale + 2, 0);
  context.fillStyle = GROUND;
  context.beginPath();
  context.roundRect(left, top, wide, high, 4);
  context.fill();
  context.fillStyle = colour;
  context.textBaseline = "middle";
  context.fillText(text, left + 5, top + high / 2 + 0.5);
}

/** @type {HTMLCanvasElement | null} */
let stripes = null;

/** Returns a tile of stripes that rise to the right, light beside dark. */
function stripeTile() {
  if (stripes) return stripes;
  stripes = document.createElement("canvas");
  stripes.width = stripes.height = HATCH_PX;
  const context = /** @type {CanvasRenderingContext2D} */ (stripes.getContext("2d"));
  for (const [offset, style] of /** @type {[number, string][]} */ ([[1.2, "rgb(0 0 0 / 45%)"], [0, "rgb(255 255 255 / 60%)"]])) {
    context.strokeStyle = style;
    context.lineWidth = 1.2;
    for (const start of [-HATCH_PX, 0, HATCH_PX]) {
      context.beginPath();
      context.moveTo(start + offset - 1, HATCH_PX + 1);
      context.lineTo(start + HATCH_PX + offset + 1, -1);
      context.stroke();
    }
  }
  return stripes;
}

/**
 * Lays stripes over the cells that were never received, except where an object stands before them.
 * @param {CanvasRenderingContext2D} context
 * @param {import("./wire.js").Cells} cells
 * @param {import("./wire.js").PictureHeader} header
 * @param {number} scale
 */
function hatch(context, cells, header, scale) {
  const side = cells.px * scale;
  context.beginPath();
  let any = false;
  cells.age_s.forEach((age, index) => {
    if (age !== null) return;
    any = true;
    context.rect((index % cells.columns) * side, Math.floor(index / cells.columns) * side, side, side);
  });
  if (!any) return;
  context.fillStyle = /** @type {CanvasPattern} */ (context.createPattern(stripeTile(), "repeat"));
  context.fill();
  for (const { box_px: [left, top, right, bottom] } of header.objects) {
    context.clearRect(left * scale, top * scale, (right - left) * scale, (bottom - top) * scale);
  }
}

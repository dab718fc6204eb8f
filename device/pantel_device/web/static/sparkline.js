/** A small curve of the last ten minutes, as SVG, so that it takes its colours from the style sheet. */

import { setAttribute } from "./dom.js";

const WIDTH = 300;
const HEIGHT = 48;
const MARGIN = 2;
const GAP = 5 / 600; // of ten minutes: where nothing is known for so long, the curve is broken

/**
 * Draws a curve.
 * @param {SVGSVGElement} svg with two paths: the area below the curve, and the curve
 * @param {{age: number, value: number | null}[]} points age: 0 now, 1 at the left edge
 * @param {number} top the value at the upper edge, unless the curve goes higher
 */
export function drawSparkline(svg, points, top) {
  const highest = points.reduce((most, point) => Math.max(most, point.value ?? 0), top);
  /** @type {string[]} */
  const line = [];
  /** @type {string[]} */
  const area = [];
  for (const run of runs(points)) {
    const x = (/** @type {number} */ age) => (WIDTH * (1 - age)).toFixed(1);
    const y = (/** @type {number} */ value) => (HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value / highest)).toFixed(1);
    const places = run.map(({ age, value }) => `${x(age)},${y(value)}`).join("L");
    line.push(`M${places}`);
    area.push(`M${x(run[0].age)},${HEIGHT}L${places}L${x(run[run.length - 1].age)},${HEIGHT}Z`);
  }
  const [areaPath, linePath] = svg.children;
  setAttribute(areaPath, "d", area.join(""));
  setAttribute(linePath, "d", line.join(""));
}

/**
 * Returns the runs of points whose values are known, each without a gap.
 * @param {{age: number, value: number | null}[]} points the oldest first
 * @returns {{age: number, value: number}[][]}
 */
function runs(points) {
  /** @type {{age: number, value: number}[][]} */
  const found = [];
  let before = Infinity;
  for (const { age, value } of points) {
    if (value === null || age > 1) {
      before = Infinity;
      continue;
    }
    if (before - age > GAP) found.push([]);
    found[found.length - 1].push({ age, value });
    before = age;
  }
  return found;
}

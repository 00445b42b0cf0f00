// @ts-check
/** Charts as SVG, each with a reading line for the pointer and the arrow keys, and with its numbers as a table. */

import { fill, h } from "./dom.js";
import { newId } from "./parts/controls.js";
import { number, t } from "./words.js";

/** @typedef {{name: string, values: number[]}} Series */

const LEFT = 36, BOTTOM = 22, TOP = 8, RIGHT = 8;
const MARKS = ["", "6 4", "2 3", "8 3 2 3", "1 4"];

/**
 * A chart with its title, its reading line and its table.
 * @param {string} title
 * @param {string[]} labels What each point is, such as a day.
 * @param {Series[]} series At most five.
 * @param {(width: number, chosen: number) => any} draw Makes the SVG of a width, with a point marked (-1 for none).
 * @param {(event: PointerEvent, width: number) => number} pointAt Index of the point under the pointer.
 */
function chart(title, labels, series, draw, pointAt) {
  const id = newId("chart");
  const reading = h("output", { class: "reading small soft", "aria-live": "polite" });
  const area = h("div", { class: "chart-area", tabindex: "0", role: "group", "aria-labelledby": id, "aria-describedby": `${id}-keys` });
  let width = 480, chosen = -1;
  const show = () => fill(area, draw(width, chosen));
  const choose = (/** @type {number} */ index) => {
    chosen = index;
    show();
    reading.textContent = index < 0 ? "" : `${labels[index]}: ${series.map((item) => `${item.name} ${number(item.values[index])}`).join(", ")}`;
  };
  readPoints(area, labels.length, { chosen: () => chosen, choose, pointAt: (event) => pointAt(event, width) });
  onWidth(area, (next) => { if (next !== width) { width = next; show(); } });
  show();
  return h("figure", { class: "chart card" }, h("figcaption", { id, class: "strong" }, title), legend(series),
    h("span", { id: `${id}-keys`, class: "unseen" }, t("charts.keys")), area, h("div", { class: "line between" }, asTable(title, labels, series), reading));
}

/**
 * Chooses the point under the pointer, and the next one by the arrow keys.
 * @param {HTMLElement} area @param {number} count Of points.
 * @param {{chosen: () => number, choose: (index: number) => void, pointAt: (event: PointerEvent) => number}} points
 */
function readPoints(area, count, { chosen, choose, pointAt }) {
  area.addEventListener("pointermove", (event) => choose(clamp(pointAt(event), count)));
  area.addEventListener("pointerleave", () => choose(-1));
  area.addEventListener("blur", () => choose(-1));
  area.addEventListener("keydown", (event) => {
    const to = { ArrowRight: chosen() + 1, ArrowLeft: chosen() - 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(clamp(to, count));
  });
}

/** Tells the width of an element whenever it changes to one that is not 0. */
function onWidth(/** @type {HTMLElement} */ element, /** @type {(width: number) => void} */ tell) {
  new ResizeObserver(([entry]) => {
    const width = Math.round(entry.contentRect.width);
    if (width) tell(width);
  }).observe(element);
}

const clamp = (/** @type {number} */ index, /** @type {number} */ count) => Math.max(0, Math.min(count - 1, index));

function legend(/** @type {Series[]} */ series) {
  if (series.length < 2) return null;
  return h("ul", { class: "legend line small" }, series.map((item, at) => h("li", {},
    h("svg", { class: `key series-${at + 1}`, viewBox: "0 0 24 8", "aria-hidden": "true" },
      h("svg:line", { x1: 0, x2: 24, y1: 4, y2: 4, "stroke-dasharray": MARKS[at] || null })), item.name)));
}

function asTable(/** @type {string} */ title, /** @type {string[]} */ labels, /** @type {Series[]} */ series) {
  const body = h("div", { class: "scroll" });
  return h("details", {
    ontoggle: () => body.childElementCount || body.append(h("table", {},
      h("caption", { class: "unseen" }, title),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }), series.map((item) => h("th", { scope: "col", class: "number" }, item.name)))),
      h("tbody", {}, labels.map((label, at) => h("tr", {}, h("th", { scope: "row" }, label),
        series.map((item) => h("td", { class: "number" }, number(item.values[at])))))))),
  }, h("summary", { class: "small soft" }, t("charts.as_table")), body);
}

/** The smallest round number that is not below the value: 1, 2 or 5 times a power of ten. */
function roundUp(/** @type {number} */ value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * /** @type {number} */ ([1, 2, 5, 10].find((step) => step * power >= value));
}

const svg = (/** @type {number} */ width, /** @type {number} */ height, /** @type {any[]} */ ...children) =>
  h("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" }, children);

function scaleLines(/** @type {number} */ width, /** @type {number} */ height, /** @type {number} */ top) {
  const values = top === 1 ? [0, 1] : [0, top / 2, top].filter(Number.isInteger);
  return values.map((value) => {
    const y = yOf(value, height, top);
    return [h("svg:line", { class: "scale", x1: LEFT, x2: width - RIGHT, y1: y, y2: y }),
      h("svg:text", { class: "scale", x: LEFT - 6, y: y + 4, "text-anchor": "end" }, number(value, { notation: "compact" }))];
  });
}

const yOf = (/** @type {number} */ value, /** @type {number} */ height, /** @type {number} */ top) =>
  TOP + (height - TOP - BOTTOM) * (1 - value / top);

/** Lines over days. @returns {any} */
export function lineChart(/** @type {string} */ title, /** @type {string[]} */ labels, /** @type {Series[]} */ series, height = 200) {
  const top = roundUp(Math.max(...series.flatMap((item) => item.values), 1));
  const last = Math.max(labels.length - 1, 1);
  const xOf = (/** @type {number} */ at, /** @type {number} */ width) => LEFT + (width - LEFT - RIGHT) * (at / last);
  const draw = (/** @type {number} */ width, /** @type {number} */ chosen) => svg(width, height,
    scaleLines(width, height, top),
    series.map((item, at) => h("svg:polyline", {
      class: `line-of series-${at + 1}`, "stroke-dasharray": MARKS[at] || null,
      points: item.values.map((value, index) => `${xOf(index, width).toFixed(1)},${yOf(value, height, top).toFixed(1)}`).join(" "),
    })),
    [0, Math.floor(last / 2), last].map((at) => h("svg:text", {
      class: "scale", x: xOf(at, width), y: height - 6, "text-anchor": at === 0 ? "start" : at === last ? "end" : "middle",
    }, labels[at] ?? "")),
    chosen < 0 ? null : [h("svg:line", { class: "reader", x1: xOf(chosen, width), x2: xOf(chosen, width), y1: TOP, y2: height - BOTTOM }),
      series.map((item, at) => h("svg:circle", { class: `dot series-${at + 1}`, cx: xOf(chosen, width), cy: yOf(item.values[chosen], height, top), r: 4 }))]);
  return chart(title, labels, series, draw, (event, width) => Math.round((event.offsetX - LEFT) / (width - LEFT - RIGHT) * last));
}

/** Upright bars, one for each label. @returns {any} */
export function barChart(/** @type {string} */ title, /** @type {string[]} */ labels, /** @type {Series} */ item, height = 200) {
  const top = roundUp(Math.max(...item.values, 1));
  const draw = (/** @type {number} */ width, /** @type {number} */ chosen) => {
    const step = (width - LEFT - RIGHT) / labels.length;
    return svg(width, height, scaleLines(width, height, top), item.values.map((value, at) => {
      const y = yOf(value, height, top);
      return [h("svg:rect", { class: `bar-of series-1 ${at === chosen ? "chosen" : ""}`, x: LEFT + step * at + step * .18, width: step * .64, y, height: height - BOTTOM - y, rx: 3 }),
        h("svg:text", { class: "scale", x: LEFT + step * (at + .5), y: height - 6, "text-anchor": "middle" }, labels[at])];
    }));
  };
  return chart(title, labels, [item], draw, (event, width) => Math.floor((event.offsetX - LEFT) / ((width - LEFT - RIGHT) / labels.length)));
}

/**
 * Hours by days: the darker, the more.
 * @param {string} title @param {string[]} days @param {string} name What is counted.
 * @param {number[][]} values One row for each day, one number for each hour.
 * @returns {any}
 */
export function heatMap(title, days, name, values) {
  const flat = values.flat(), most = Math.max(...flat, 1), row = 18, left = 44;
  const labels = days.flatMap((day) => Array.from({ length: 24 }, (_, hour) => `${day} ${String(hour).padStart(2, "0")}:00`));
  const height = row * 7 + 24;
  const draw = (/** @type {number} */ width, /** @type {number} */ chosen) => {
    const step = (width - left) / 24;
    return svg(width, height,
      days.map((day, at) => h("svg:text", { class: "scale", x: 0, y: row * at + 13 }, day)),
      flat.map((value, at) => h("svg:rect", {
        class: `cell ${at === chosen ? "chosen" : ""}`, x: left + step * (at % 24) + 1, y: row * Math.floor(at / 24) + 1, width: Math.max(step - 2, 1), height: row - 2, rx: 3,
        "fill-opacity": value ? (.15 + .85 * value / most).toFixed(2) : .05,
      })),
      [0, 6, 12, 18].map((hour) => h("svg:text", { class: "scale", x: left + step * hour, y: height - 6 }, `${String(hour).padStart(2, "0")}:00`)));
  };
  return chart(title, labels, [{ name, values: flat }], draw, (event, width) =>
    Math.floor(event.offsetY / row) * 24 + clamp(Math.floor((event.offsetX - left) / ((width - left) / 24)), 24));
}

/** Parts of a whole as one bar, with the share of each. @returns {any} */
export function shareBar(/** @type {string} */ title, /** @type {{name: string, value: number}[]} */ parts, /** @type {any} */ more = null) {
  const all = parts.reduce((sum, part) => sum + part.value, 0);
  return h("figure", { class: "chart card" }, h("figcaption", { class: "strong" }, title),
    h("div", { class: "shares", "aria-hidden": "true" }, parts.map((part, at) => {
      const piece = h("span", { class: `series-${at + 1}` });
      piece.style.setProperty("flex-grow", String(part.value));
      return piece;
    })),
    h("ul", { class: "stack tight" }, parts.map((part, at) => h("li", { class: "line between" },
      h("span", { class: "line" }, h("span", { class: `swatch series-${at + 1}`, "aria-hidden": "true" }), part.name),
      h("span", {}, number(part.value), h("span", { class: "soft" }, all ? ` · ${number(part.value / all, { style: "percent" })}` : ""))))), more);
}

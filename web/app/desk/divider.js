// @ts-check
/** The edge between queue and ticket: dragging it, or the arrow keys on it, change the width of the queue. */

import { h } from "../dom.js";
import { preferences } from "../state.js";
import { t } from "../words.js";

const LEAST = 320, MOST = 460, STEP = 20;

/** @param {HTMLElement} area What holds both; its property --list is the width. */
export function divider(area) {
  const edge = h("div", { class: "divider", role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": t("desk.list_width"), "aria-valuemin": LEAST, "aria-valuemax": MOST });
  const set = (/** @type {number} */ wanted) => {
    const width = Math.round(Math.min(MOST, Math.max(LEAST, wanted)));
    area.style.setProperty("--list", `${width}px`);
    edge.setAttribute("aria-valuenow", String(width));
    preferences.set("desk.list", String(width));
  };
  const present = () => /** @type {any} */ (area.firstElementChild).getBoundingClientRect().width;
  edge.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const to = { ArrowLeft: present() - STEP, ArrowRight: present() + STEP, Home: LEAST, End: MOST }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    set(to);
  });
  edge.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    const start = event.clientX, width = present();
    edge.setPointerCapture(event.pointerId);
    edge.onpointermove = (/** @type {PointerEvent} */ move) => set(width + move.clientX - start);
    edge.onpointerup = () => { edge.onpointermove = null; };
  });
  const chosen = Number(preferences.get("desk.list"));
  if (chosen) set(chosen);
  else edge.setAttribute("aria-valuenow", "380");
  return edge;
}

// @ts-check
/** What a list, panel or page shows while it loads, when it is empty, and when it failed. */

import { h } from "../dom.js";
import { isEnded, network } from "../api.js";
import { t } from "../words.js";
import { button } from "./controls.js";
import { icon } from "./icon.js";

/** Rows of the height of what is coming; they show after 150 ms only. */
export const skeleton = (rows = 8, kind = "") => h("div", { class: `skeleton ${kind}`, "aria-busy": "true", "aria-label": t("common.loading") },
  Array.from({ length: rows }, () => h("span")));

/** One sentence and at most one thing to do. */
export const empty = (/** @type {string} */ title, /** @type {any} */ text = "", /** @type {any} */ action = null, sign = "inbox") =>
  h("div", { class: "state" }, icon(sign), h("h2", {}, title), text ? h("p", {}, text) : null, action);

/** What happened, in the server's words, and a second try. */
export function failed(/** @type {any} */ error, /** @type {() => any} */ again) {
  if (isEnded(error)) return skeleton();
  const words = error?.message || t("common.failed");
  return h("div", { class: "state", role: "alert" }, icon("triangle-alert"), h("h2", { lang: error?.lang ?? null }, words),
    button(t("common.try_again"), again, { icon: "refresh-cw" }),
    error?.requestId ? h("p", { class: "small" }, t("common.request_id", { id: error.requestId })) : null);
}

/**
 * Loads into an element: skeleton, then content, or the error with a second try. The last call wins.
 * @param {any} element
 * @param {() => Promise<any>} load Answers the nodes to show.
 */
export async function into(element, load, waiting = skeleton()) {
  const turn = element.turn = {};
  element.setAttribute("aria-busy", "true");
  // The focus stays here when what had it goes away.
  const focused = element !== document.activeElement && element.contains(document.activeElement);
  if (focused && !element.hasAttribute("tabindex")) element.tabIndex = -1;
  if (waiting) element.replaceChildren(waiting);
  if (waiting && focused) element.focus({ preventScroll: true });
  let shown;
  try {
    shown = await load();
  } catch (error) {
    if (isEnded(error)) return;
    shown = failed(error, () => into(element, load, waiting));
  }
  if (element.turn !== turn) return;
  element.replaceChildren(...[shown].flat().filter(Boolean));
  element.removeAttribute("aria-busy");
}

/** The bar that says that the network is gone. */
export function offlineBar() {
  const bar = h("div", { class: "offline", role: "status", hidden: true });
  network.subscribe(({ online }) => {
    bar.hidden = online;
    bar.replaceChildren(...(online ? [] : [icon("wifi-off"), t("common.offline")]));
  });
  return bar;
}

// @ts-check
/** Short sentences at the bottom of the page, with an undo where there is one. */

import { ApiError, isEnded } from "../api.js";
import { h } from "../dom.js";
import { t } from "../words.js";
import { button } from "./controls.js";

const place = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
const MOST = 3;
/** @type {(() => void)|null} */
let undoLast = null;

/**
 * Says what happened for 8 seconds.
 * @param {any} words A text, or texts and elements.
 * @param {{undo?: () => any, action?: {words: string, run: () => any}, seconds?: number}} [options]
 */
export function toast(words, { undo, action, seconds = 8 } = {}) {
  if (!place.isConnected) document.body.append(place);
  const element = h("div", { class: "toast" }, h("span", {}, words));
  /** @type {any} Where the focus was before it came here, to give it back. */
  let before = null;
  element.addEventListener("focusin", (/** @type {FocusEvent} */ event) => { if (!element.contains(/** @type {any} */ (event.relatedTarget))) before = event.relatedTarget; });
  const close = () => {
    const focused = element.contains(document.activeElement);
    element.remove();
    if (undoLast === runUndo) undoLast = null;
    if (focused) (before?.isConnected ? before : /** @type {any} */ (document.querySelector("h1")))?.focus();
  };
  const runUndo = () => { close(); undo?.(); };
  if (undo) {
    element.append(button(t("common.undo"), runUndo, { icon: "undo-2", keys: "z" }));
    undoLast = runUndo;
  }
  if (action) element.append(button(action.words, () => { close(); action.run(); }));
  place.append(element);
  while (place.children.length > MOST) place.firstElementChild?.remove();
  setTimeout(close, seconds * 1000);
  return close;
}

/** Says that something failed, in the server's words. */
export const toastError = (/** @type {any} */ error) => !isEnded(error) && toast(error?.lang ? h("span", { lang: error.lang }, error.message) : error?.message || t("common.failed"));

// A call that nobody waits for may fail too, such as that of a menu. Its error is told, not lost.
addEventListener("unhandledrejection", (event) => {
  if (!(event.reason instanceof ApiError) && !isEnded(event.reason)) return;
  event.preventDefault();
  toastError(event.reason);
});

/** Undoes what the newest toast offers; for the key z. */
export const undoNewest = () => undoLast?.();

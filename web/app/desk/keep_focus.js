// @ts-check
/** Draws a part anew without losing the focus. */

import { fill } from "../dom.js";

/** What a control is for, without the value it shows. */
const purpose = (/** @type {any} */ element) => (element.getAttribute("aria-label") ?? element.textContent).split(":")[0].trim();

/**
 * Fills an element. If the focus was in it, it goes to the control of the same purpose, else to `instead`.
 * @param {HTMLElement} element @param {any} content @param {() => any} [instead]
 */
export function fillAnew(element, content, instead = () => element) {
  const active = document.activeElement, inside = element !== active && element.contains(active);
  const wanted = inside ? purpose(active) : "";
  fill(element, content);
  if (!inside) return;
  const same = [...element.querySelectorAll("a, button, summary, input")].find((control) => purpose(control) === wanted);
  /** @type {any} */ (same ?? instead())?.focus({ preventScroll: true });
}

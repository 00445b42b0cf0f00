// @ts-check
/** Icons of the sprite (web/icons.txt lists them). An icon is never alone: a word or an aria-label stands with it. */

import { h } from "../dom.js";

const SPRITE = new URL("../../icons.svg", import.meta.url).pathname;

/** @returns {SVGElement} */
export const icon = (/** @type {string} */ name) => h("svg", { class: "icon", "aria-hidden": "true" }, h("use", { href: `${SPRITE}#${name}` }));

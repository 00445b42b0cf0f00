// @ts-check
/** The keyboard map: one key or two in a row, never while somebody types. */

import { preferences } from "./state.js";

/**
 * @typedef {object} Command
 * @property {string} keys Such as "j", "Shift+e", "g q", "Mod+k", "Mod+Enter". Mod is Ctrl, or Command on a Mac.
 * @property {string} [shown] The keys that the help shows, where the browser itself does one of them.
 * @property {string} name What the help and the palette call it.
 * @property {() => void} run
 * @property {() => boolean} [when] Whether it can be done now.
 * @property {boolean} [typing] Whether it works within a field too.
 */

/** @type {Command[]} */
let commands = [];
let first = "", timer = 0;

/** The commands of the page that can be done now. */
export const available = () => commands.filter((command) => command.when?.() ?? true);
export const all = () => commands;

/** Single keys can be switched off (WCAG 2.1.4); those with Mod stay. */
export const keysAreOn = () => preferences.get("keys", "on") === "on";
export const switchKeys = (/** @type {boolean} */ on) => preferences.set("keys", on ? "on" : "off");

/** Sets the keyboard map of the page. */
export function useKeys(/** @type {Command[]} */ map) {
  if (!commands.length) document.addEventListener("keydown", onKey);
  commands = map;
}

function onKey(/** @type {KeyboardEvent} */ event) {
  if (event.isComposing || event.defaultPrevented || event.altKey) return;
  const modified = event.ctrlKey || event.metaKey;
  const target = /** @type {any} */ (event.target);
  const typing = target?.closest?.("input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable], dialog[open], [role=menu]");
  const stroke = [modified && "Mod", event.shiftKey && (modified || event.key.length > 1 || /[a-z]/i.test(event.key)) && "Shift",
    event.key.length === 1 ? event.key.toLowerCase() : event.key].filter(Boolean).join("+");
  const wanted = first ? `${first} ${stroke}` : stroke;
  clearTimeout(timer);
  first = "";
  if (!modified && (!keysAreOn() || typing)) return;
  const found = available().find((command) => command.keys.split(" / ").includes(wanted) && (!typing || command.typing));
  if (found) {
    event.preventDefault();
    found.run();
  } else if (!typing && commands.some((command) => command.keys.split(" / ").some((keys) => keys.startsWith(`${wanted} `)))) {
    first = wanted;
    timer = window.setTimeout(() => { first = ""; }, 1_200);
  }
}

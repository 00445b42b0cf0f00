// @ts-check
/** Dialogs and menus of the browser's own kind: focus, Escape and the background are its work. */

import { h } from "../dom.js";
import { t } from "../words.js";
import { button, field, newId } from "./controls.js";

/**
 * Opens a dialog. `content` gets a function that closes it; the focus goes back to where it was.
 * @param {string} title
 * @param {(close: () => void) => any} content Nodes; a `<footer>` holds the buttons.
 * @returns {Promise<void>} When it is closed.
 */
export function dialog(title, content, className = "") {
  const id = newId("dialog");
  const element = h("dialog", { "aria-labelledby": id, class: className });
  const before = /** @type {any} */ (document.activeElement);
  return new Promise((resolve) => {
    element.append(h("div", { class: "dialog" }, h("h2", { id }, title), content(() => element.close())));
    element.addEventListener("close", () => {
      element.remove();
      // What opened it may have been drawn anew meanwhile.
      /** @type {any} */ (before?.isConnected ? before : document.querySelector("h1[tabindex], main[tabindex]"))?.focus?.();
      resolve();
    });
    // A click beside a dialog closes it, except where words would be lost.
    element.addEventListener("click", (/** @type {any} */ event) => { if (event.target === element && !element.querySelector("form")) element.close(); });
    document.body.append(element);
    element.showModal();
  });
}

/**
 * Asks before what cannot be undone. With `typed`, that word must be written.
 * @returns {Promise<boolean>}
 */
export async function confirm(/** @type {string} */ title, /** @type {any} */ text, /** @type {string} */ verb, typed = "") {
  let agreed = false;
  await dialog(title, (close) => {
    const word = typed ? field(t("common.type_to_confirm", { word: typed }), { name: "typed", autocomplete: "off" }) : null;
    const yes = button(verb, () => { agreed = true; close(); }, { kind: "danger", disabled: Boolean(typed) });
    word?.input.addEventListener("input", () => { yes.disabled = word.input.value.trim() !== typed; });
    return [h("p", {}, text), word, h("footer", {}, button(t("common.cancel"), close), yes)];
  });
  return agreed;
}

/**
 * Opens a menu at an element. Arrows move, Enter chooses, Escape closes.
 * @param {any} anchor
 * @param {{words: any, run?: () => any, href?: string, checked?: boolean, download?: boolean}[]} items
 */
export function menu(anchor, items) {
  const element = h("div", { class: "menu", role: "menu", popover: "auto" });
  const close = () => element.hidePopover();
  element.append(...items.map((item) => h(item.href ? "a" : "button", {
    type: item.href ? null : "button",
    href: item.href,
    role: item.checked === undefined ? "menuitem" : "menuitemcheckbox",
    "aria-checked": item.checked === undefined ? null : String(item.checked),
    tabindex: "-1",
    onclick: () => { close(); item.run?.(); },
  }, item.checked === undefined ? null : h("span", { "aria-hidden": "true" }, item.checked ? "✓" : " "), item.words)));
  document.body.append(element);
  element.addEventListener("toggle", (/** @type {any} */ event) => {
    if (event.newState === "open") return;
    anchor.setAttribute?.("aria-expanded", "false");
    const focusInside = element.contains(document.activeElement) || document.activeElement === document.body;
    setTimeout(() => element.remove());
    if (focusInside) anchor.focus?.();
  });
  element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const rows = /** @type {any[]} */ ([...element.children]);
    const at = rows.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    const typed = event.key.length === 1 && !event.ctrlKey && !event.metaKey
      ? rows.findIndex((row, index) => index > at && row.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase())) : -1;
    if (to === undefined && typed < 0) return event.key === "Tab" ? close() : undefined;
    event.preventDefault();
    rows[typed >= 0 ? typed : (/** @type {number} */ (to) + rows.length) % rows.length]?.focus();
    return undefined;
  });
  anchor.setAttribute?.("aria-haspopup", "menu");
  anchor.setAttribute?.("aria-expanded", "true");
  element.showPopover();
  const spot = anchor.getBoundingClientRect(), size = element.getBoundingClientRect();
  const below = spot.bottom + size.height + 8 < innerHeight || spot.top < size.height;
  element.style.setProperty("left", `${Math.max(8, Math.min(spot.left, innerWidth - size.width - 8))}px`);
  element.style.setProperty("top", `${below ? Math.min(spot.bottom + 4, innerHeight - size.height - 8) : spot.top - size.height - 4}px`);
  /** @type {any} */ (element.firstElementChild)?.focus();
}

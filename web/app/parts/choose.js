// @ts-check
/** A dialog to choose from a list by typing: the palette, and the choices of people, states and macros. */

import { fill, h } from "../dom.js";
import { t } from "../words.js";
import { newId } from "./controls.js";
import { dialog } from "./dialog.js";

/**
 * @typedef {object} Choice
 * @property {string} words
 * @property {() => any} run Called after the dialog is closed and the focus is back.
 * @property {string} [about] A second line, such as the first words of a macro.
 * @property {string} [keys] The keys that do the same.
 * @property {string} [note] A word at its end.
 * @property {boolean} [checked]
 */

const MOST_SHOWN = 60;

/**
 * @param {string} title
 * @param {Choice[]} choices
 * @param {{placeholder?: string, free?: (text: string) => Choice|null, recent?: Choice[]}} [options]
 *   `free` makes a choice of what was typed; `recent` come first while nothing is typed, else after the others.
 */
export function choose(title, choices, { placeholder = t("common.filter"), free, recent = [] } = {}) {
  /** @type {Choice|null} */
  let chosen = null;
  const id = newId("choices");
  const list = h("ul", { role: "listbox", id, "aria-label": title, class: "choices" });
  const input = h("input", {
    type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": id, "aria-autocomplete": "list",
    "aria-label": title, placeholder, autocomplete: "off", spellcheck: "false",
  });
  let shown = choices, at = 0;
  return dialog(title, (close) => {
    const take = (/** @type {Choice} */ choice) => { chosen = choice; close(); };
    const mark = () => {
      [...list.children].forEach((row, index) => row.setAttribute("aria-selected", String(index === at)));
      const row = list.children[at];
      if (row?.id) input.setAttribute("aria-activedescendant", row.id);
      else input.removeAttribute("aria-activedescendant");
      row?.scrollIntoView({ block: "nearest" });
    };
    const draw = () => {
      const own = free && input.value.trim() ? free(input.value.trim()) : null;
      shown = [...(input.value.trim() ? [] : recent), ...matching(choices, input.value), ...(input.value.trim() ? matching(recent, input.value) : []), ...(own ? [own] : [])].slice(0, MOST_SHOWN);
      at = 0;
      fill(list, shown.length ? shown.map((choice, index) => optionRow(choice, `${id}-${index}`, () => take(choice)))
        : h("li", { class: "soft", role: "option", "aria-selected": "false" }, t("common.nothing_found")));
      mark();
    };
    input.addEventListener("input", draw);
    input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.isComposing) return;
      const step = /** @type {any} */ ({ ArrowDown: 1, ArrowUp: -1 })[event.key];
      if (step) at = (at + step + shown.length) % Math.max(shown.length, 1);
      else if (event.key === "Enter" && shown[at]) take(shown[at]);
      else return;
      event.preventDefault();
      mark();
    });
    draw();
    return [input, list];
  }, "choose").then(() => chosen?.run());
}

function optionRow(/** @type {Choice} */ choice, /** @type {string} */ id, /** @type {() => void} */ take) {
  return h("li", { role: "option", id, onclick: take, "aria-checked": choice.checked === undefined ? null : String(choice.checked) },
    h("span", { class: "grow" }, choice.checked ? "✓ " : "", choice.words, choice.about ? h("span", { class: "soft small cut about" }, choice.about) : null),
    choice.note ? h("span", { class: "soft small" }, choice.note) : null, choice.keys ? keysOf(choice.keys) : null);
}

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

const SHOWN = /** @type {Record<string, string>} */ ({ Mod: MAC ? "⌘" : "Ctrl", ArrowDown: "↓", ArrowUp: "↑", Escape: "Esc" });

/** The keys of a command as they are on this keyboard. */
export const keysOf = (/** @type {string} */ keys) => h("span", { class: "keys" }, keys.split(" / ").slice(0, 2).map((stroke) =>
  h("kbd", {}, stroke.split("+").map((key) => SHOWN[key] ?? key).join(" "))));

/** All words must be found; those that begin with the text come first. */
function matching(/** @type {Choice[]} */ choices, /** @type {string} */ text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (/** @type {Choice} */ choice) => {
    const own = `${choice.words} ${choice.about ?? ""}`.toLowerCase();
    return words.every((word) => own.includes(word));
  };
  const begins = (/** @type {Choice} */ choice) => Number(choice.words.toLowerCase().startsWith(text.toLowerCase()));
  const found = choices.filter(fits);
  return words.length ? found.sort((one, other) => begins(other) - begins(one)) : found;
}

// @ts-check
/** A control that is a list of rows, to add and remove. */

import { h } from "../dom.js";
import { button, newId } from "../parts/controls.js";
import { t } from "../words.js";

/** A small control without a label of its own; the column says what it is. @returns {any} */
export function cell(/** @type {string} */ label, /** @type {any} */ { options, value, ...props } = {}) {
  return h(options ? "select" : "input", { "aria-label": label, value: options ? null : value, ...props },
    options?.map((/** @type {any} */ option) => h("option", { value: option.value, selected: option.value === value }, option.words)));
}

/**
 * @param {object} options
 * @param {string} options.name
 * @param {string} options.label
 * @param {string} [options.about]
 * @param {string[]} options.heads
 * @param {any[]} options.rows
 * @param {(value: any) => {cells: any[], read: () => any}} options.make
 * @param {any} options.fresh What a new row holds.
 * @param {string} options.add
 * @param {boolean} options.fixed
 * @param {boolean} [options.hidden] Whether the label is for readers alone.
 */
export function rowsField({ name, label, about = "", heads, rows, make, fresh, add, fixed, hidden = false }) {
  const id = newId(name);
  const body = h("tbody");
  const wrong = h("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
  const changed = () => body.dispatchEvent(new Event("change", { bubbles: true }));
  const append = (/** @type {any} */ value) => {
    const { cells, read } = make(value);
    for (const item of cells) item.disabled = fixed;
    const row = h("tr", {}, cells.map((item, at) => h("td", { "data-label": heads[at] }, item)), fixed ? null : h("td", { class: "end" }, button(t("common.remove"), () => {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      (next?.querySelector("button") ?? more)?.focus();
      changed();
    }, { icon: "x", kind: "quiet", iconOnly: true })));
    body.append(Object.assign(row, { read }));
    return row;
  };
  const more = fixed ? null : button(add, () => {
    append(typeof fresh === "function" ? fresh() : fresh).querySelector("input,select")?.focus();
    changed();
  }, { icon: "plus" });
  rows.forEach(append);
  const element = h("fieldset", { class: "field rows" }, h("legend", { class: hidden ? "unseen" : "label" }, label), about ? h("p", { class: "about" }, about) : null,
    h("div", { class: "cards-when-narrow" }, h("table", {}, h("thead", {}, h("tr", {}, heads.map((words) => h("th", { scope: "col" }, words)), fixed ? null : h("th", { scope: "col" }, h("span", { class: "unseen" }, t("admin.actions"))))), body)),
    more ? h("div", {}, more) : null, wrong);
  return Object.assign(element, {
    input: more ?? body,
    read: () => [...body.children].map((row) => /** @type {any} */ (row).read()),
    showError: (/** @type {string} */ text) => {
      wrong.textContent = text;
      wrong.hidden = !text;
      more?.setAttribute("aria-invalid", text ? "true" : "false");
      more?.setAttribute("aria-describedby", `${id}-wrong`);
    },
  });
}

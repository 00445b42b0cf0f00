// @ts-check
/** What the sections have in common: their heading, lists with pages, and secrets that are shown once. */

import { h } from "../dom.js";
import { get } from "../api.js";
import { button, newId } from "../parts/controls.js";
import { copyable } from "../parts/copyable.js";
import { confirm, dialog, menu } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import { empty, into } from "../parts/states.js";
import { toast, toastError } from "../parts/toast.js";
import { t } from "../words.js";

/** The heading of a section, one sentence about it, and its buttons. */
export function head(/** @type {string} */ title, /** @type {any} */ about = "", /** @type {any} */ ...actions) {
  return h("header", { class: "head" }, h("div", { class: "grow stack tight" }, h("h1", {}, title), about ? h("p", { class: "soft" }, about) : null),
    actions.length ? h("div", { class: "line" }, actions) : null);
}

/** A part of a section with its own heading. */
export function part(/** @type {string} */ title, /** @type {any} */ about, /** @type {any} */ ...children) {
  return h("section", { class: "part stack" }, h("header", { class: "stack tight" }, h("h2", {}, title), about ? h("p", { class: "soft" }, about) : null), children);
}

/**
 * A table that becomes cards on narrow screens.
 * @param {{words: string, cell: (row: any) => any, kind?: string}[]} columns The last one may have no words: its buttons.
 * @param {any[]} rows
 */
export function table(columns, rows, /** @type {string} */ name) {
  return h("div", { class: "cards-when-narrow" }, h("table", {}, h("caption", { class: "unseen" }, name),
    h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col", class: column.kind ?? null },
      column.words || h("span", { class: "unseen" }, t("admin.actions")))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((column) => h("td", { class: column.kind ?? null, "data-label": column.words || null }, h("div", { class: "held" }, column.cell(row)))))))));
}

/**
 * A list of the API with "Show more". Returns an element with `reload()`.
 * @param {object} options
 * @param {string} options.path
 * @param {() => Record<string, any>} [options.query]
 * @param {(rows: any[], reload: () => void) => any} options.view
 * @param {any} options.none What an empty list shows, or a function that makes it.
 * @param {number} [options.size] Rows at first; 0 for a list that the API gives as a whole.
 */
export function list({ path, query = () => ({}), view, none, size = 50 }) {
  const element = h("div", { class: "list" });
  let shown = size;
  const load = async () => {
    /** @type {any[]} */
    let rows = [];
    let total = 1;
    while (rows.length < Math.min(size ? shown : 1, total)) {
      const answer = await get(path, size ? { ...query(), limit: Math.min(100, shown - rows.length), offset: rows.length || undefined } : query());
      if (!answer.data.length) { total = rows.length; break; }
      rows = rows.concat(answer.data);
      total = answer.total;
    }
    if (!rows.length) return typeof none === "function" ? none() : none;
    return [view(rows, reload), rows.length < total ? h("p", { class: "more" }, button(t("admin.more", { n: total - rows.length }), async () => {
      const before = element.querySelectorAll("tbody tr").length;
      shown += size;
      if (await refresh(element, load)) focusOn(element.querySelectorAll("tbody tr")[before]);
    })) : null];
  };
  const reload = () => (element.querySelector("tbody tr, li") ? refresh(element, load) : into(element, load, /** @type {any} */ (element.childElementCount ? null : undefined)));
  reload();
  return Object.assign(element, { reload, first: () => { shown = size; return into(element, load, null); } });
}

/** Loads again. What is shown stays when that fails, and the focus stays where it was. Returns whether it worked. */
async function refresh(/** @type {any} */ element, /** @type {() => Promise<any>} */ load) {
  const turn = element.turn = {};
  try {
    const nodes = [await load()].flat().filter(Boolean);
    if (element.turn !== turn) return false;
    const focused = element.contains(document.activeElement) ? nameOf(document.activeElement) : "";
    element.replaceChildren(...nodes);
    if (focused) focusOn([...element.querySelectorAll("a, button, summary")].find((one) => nameOf(one) === focused) ?? document.querySelector("main h1"));
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}

const nameOf = (/** @type {any} */ element) => element?.getAttribute("aria-label") || element?.textContent || "";

function focusOn(/** @type {any} */ element) {
  if (element && !element.matches("a, button, summary")) element.tabIndex = -1;
  element?.focus();
}

export const none = (/** @type {string} */ title, text = "", action = /** @type {any} */ (null), sign = "inbox") => empty(title, text, action, sign);

/** A word of the API as the beginning of a sentence. */
export const sentence = (/** @type {string} */ word) => (word.charAt(0).toUpperCase() + word.slice(1).replaceAll("_", " ")).replace(/^(?:Ai|Sla)\b/, (start) => start.toUpperCase());

/** A text of the admin pages by the first of the lists that has it; else the API's word, or `otherwise`. */
export function known(/** @type {string[]} */ lists, /** @type {string} */ value, otherwise = "") {
  const names = lists.map((list) => `admin.${list}.${value}`);
  const name = names.find((one) => t(one) !== one);
  return name ? t(name) : otherwise || sentence(value);
}

/** What a kind of mail is called, and what it is. */
export const noticeName = (/** @type {any} */ row) => known(["notice_name"], row.kind);
export const noticeAbout = (/** @type {any} */ row) => known(["notice_about"], row.kind, row.about);

/** The button of a row that opens its menu. */
export function rowMenu(/** @type {string} */ name, /** @type {any[]} */ items) {
  const shown = items.filter(Boolean);
  if (!shown.length) return null;
  const opener = button(t("admin.actions_of", { name }), () => menu(opener, shown), { icon: "ellipsis", kind: "quiet", iconOnly: true, id: newId("row") });
  return opener;
}

/** Asks, then does it and says so. Errors are told in words. */
export async function ask(/** @type {string} */ title, /** @type {string} */ text, /** @type {string} */ verb, /** @type {() => Promise<any>} */ act, typed = "") {
  if (await confirm(title, text, verb, typed)) await attempt(act);
}

/** Does it and says so in `words`. Returns whether it worked. */
export async function attempt(/** @type {() => Promise<any>} */ act, /** @type {any} */ options = {}) {
  try {
    await act();
    toast(options.words ?? t("common.done"), options);
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}

/** Shows what is shown only once. */
export const showOnce = (/** @type {string} */ title, /** @type {string} */ about, /** @type {string} */ secret) => dialog(title, (close) => [
  h("p", {}, about), copyable(secret, title), h("footer", {}, button(t("admin.kept_it"), close, { kind: "primary" })),
]);

/** Keeps what a list shows in the address, without showing the page anew. */
export const remember = (/** @type {string} */ url) => history.replaceState(history.state, "", url);

/** A way back to a list. */
export const back = (/** @type {string} */ href, /** @type {string} */ words) => h("p", {}, h("a", { href, class: "back" }, icon("arrow-left"), words));

/** Links that choose one of several lists; the chosen one is marked. */
export function tabs(/** @type {string} */ name, /** @type {{value: string, words: string}[]} */ items, /** @type {string} */ chosen, /** @type {(value: string) => void} */ choose) {
  const buttons = items.map((item) => h("button", { type: "button", "aria-current": item.value === chosen ? "page" : null, onclick: () => {
    buttons.forEach((one, at) => { if (items[at].value === item.value) one.setAttribute("aria-current", "page"); else one.removeAttribute("aria-current"); });
    choose(item.value);
  } }, item.words));
  return h("div", { class: "tabs", role: "group", "aria-label": name }, buttons);
}

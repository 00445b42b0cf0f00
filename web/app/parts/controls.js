// @ts-check
/** Buttons, fields and small marks. */

import { h } from "../dom.js";
import { fieldWords, languageOf, ago, moment } from "../words.js";
import { icon } from "./icon.js";

let count = 0;
/** An id that no other element of the page has. */
export const newId = (prefix = "x") => `${prefix}-${count += 1}`;

/**
 * Does the work of a button, and nothing of it again until it ends. The button keeps the focus, which `disabled` takes away.
 * @param {any} element @param {() => any} work
 */
export async function once(element, work) {
  if (element.getAttribute("aria-disabled") === "true") return;
  const result = work();
  if (!(result instanceof Promise)) return;
  element.setAttribute("aria-disabled", "true");
  try { await result; } finally { element.removeAttribute("aria-disabled"); }
}

/**
 * @param {any} words What it says; also its name where `quiet` shows the icon alone.
 * @param {(event: Event) => any} run May be asynchronous: another press does nothing until it ends.
 * @param {{icon?: string, kind?: string, iconOnly?: boolean, keys?: string, [name: string]: any}} [options]
 */
export function button(words, run, options = {}) {
  const { icon: sign, kind = "", iconOnly = false, keys = "", ...props } = options;
  const element = h("button", {
    type: "button",
    class: `button ${kind} ${iconOnly ? "only-icon" : ""}`,
    "aria-label": iconOnly ? words : null,
    "aria-keyshortcuts": keys || null,
    title: iconOnly ? (keys ? `${words} (${keys})` : words) : null,
    onclick: (/** @type {Event} */ event) => once(element, () => run(event)),
    ...props,
  }, sign ? icon(sign) : null, iconOnly ? null : words);
  return element;
}

export const linkButton = (/** @type {any} */ words, /** @type {string} */ href, /** @type {any} */ { icon: sign, kind = "", ...props } = {}) =>
  h("a", { class: `button ${kind}`, href, ...props }, sign ? icon(sign) : null, words);

/**
 * A label, a control, a hint and a place for what is wrong.
 * `field(...).input` is the control, `.showError(text)` says what is wrong with it and moves nothing.
 * @param {string} label
 * @param {{tag?: string, name: string, about?: string, options?: {value: string, words: string}[], labelHidden?: boolean, [name: string]: any}} options
 */
export function field(label, options) {
  const { tag = "input", name, about, options: choices, labelHidden = false, ...props } = options;
  const id = newId(name);
  const hint = about ? h("p", { class: "about", id: `${id}-about` }, about) : null;
  const wrong = h("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
  const describedBy = [hint && `${id}-about`, `${id}-wrong`].filter(Boolean).join(" ");
  const input = h(choices ? "select" : tag, { id, name, "aria-describedby": describedBy, ...props },
    choices?.map((choice) => h("option", { value: choice.value, selected: choice.value === props.value }, choice.words)));
  const element = h("div", { class: "field" }, h("label", { for: id, class: labelHidden ? "unseen" : null }, label), input, hint, wrong);
  return Object.assign(element, {
    input,
    showError: (/** @type {string} */ text, lang = /** @type {any} */ (null)) => showWrong(input, wrong, text, lang),
  });
}

/** A checkbox with its words. */
export function checkbox(/** @type {string} */ label, /** @type {any} */ { name, about, ...props }) {
  const id = newId(name);
  const input = h("input", { type: "checkbox", id, name, "aria-describedby": about ? `${id}-about ${id}-wrong` : `${id}-wrong`, ...props });
  const wrong = h("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
  const element = h("div", { class: "field" }, h("label", { class: "choice" }, input, label),
    about ? h("p", { class: "about", id: `${id}-about` }, about) : null, wrong);
  return Object.assign(element, { input, showError: (/** @type {string} */ text, lang = /** @type {any} */ (null)) => showWrong(input, wrong, text, lang) });
}

function showWrong(/** @type {any} */ input, /** @type {any} */ place, /** @type {string} */ text, /** @type {string|null} */ lang) {
  place.textContent = text;
  place.lang = lang ?? "";
  if (!lang) place.removeAttribute("lang");
  place.hidden = !text;
  input.setAttribute("aria-invalid", text ? "true" : "false");
}

/**
 * Shows an ApiError at its fields, and returns the sentence for what no field says.
 * @param {any} error
 * @param {Record<string, any>} fields The fields of the form by the names of the API.
 */
export function showErrors(error, fields) {
  for (const item of Object.values(fields)) item.showError?.("");
  const left = (error.errors ?? []).filter((/** @type {any} */ { field: path, message }) => {
    // A part of a list or an object, such as hours.days[2].closes, is shown at the field that holds it.
    const item = fields[path] ?? fields[path.split(/[.[]/)[0]];
    const words = fieldWords(message), isOurs = words !== message;
    item?.showError?.(isOurs ? words : withoutName(path, message), languageOf(isOurs));
    return !item?.showError;
  });
  const first = Object.values(fields).find((item) => item.input?.getAttribute("aria-invalid") === "true");
  first?.input.focus();
  return first && !left.length ? "" : left[0] ? fieldWords(left[0].message) : error.message;
}

/** A sentence of the API about a field, without the field's name in the API: the label stands above it. */
function withoutName(/** @type {string} */ path, /** @type {string} */ message) {
  const name = `${path.replace(/\[\d+\]$/, "").split(".").at(-1)} `;
  if (!message.startsWith(name)) return message;
  const rest = message.slice(name.length);
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

export const chip = (/** @type {any} */ words, colour = "", sign = "") => h("span", { class: `chip ${colour}` }, sign ? icon(sign) : null, words);

/** What a company is called where its customers see it: `default` is no name of anybody. */
export const companyName = (/** @type {string} */ name, /** @type {string} */ neutral) => (name && name !== "default" ? name : neutral);

/** First letters of a name, for eyes only. */
export const avatar = (/** @type {string} */ name) => h("span", { class: "avatar", "aria-hidden": "true" },
  (name.match(/\p{L}/gu)?.length ? name.split(/[\s.@_-]+/).filter(Boolean).slice(0, 2).map((part) => [...part][0]).join("") : "?").toUpperCase());

/** "5 min ago", with the exact time on hover and for programs. */
export const time = (/** @type {string} */ value) => h("time", { datetime: value, title: moment(value) }, ago(value));

// Relative times grow old while a page is open.
setInterval(() => {
  for (const element of document.querySelectorAll("time[datetime]")) element.textContent = ago(element.getAttribute("datetime") ?? "");
}, 30_000);

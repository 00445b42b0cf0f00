// @ts-check
/** Forms from descriptions of their fields. */

import { h } from "../dom.js";
import { ApiError } from "../api.js";
import { button, checkbox, field, newId, once, showErrors } from "./controls.js";
import { dialog } from "./dialog.js";
import { t } from "../words.js";

/**
 * @typedef {object} Spec
 * @property {string} name The field of the API.
 * @property {string} label
 * @property {"text"|"long"|"flag"|"number"|"choice"|"list"|"lines"|"moment"|"checks"|"password"|"email"} [kind]
 * @property {string} [about]
 * @property {any} [value]
 * @property {{value: string, words: string}[]} [options]
 * @property {boolean} [required]
 * @property {Record<string, any>} [more] Attributes of the control.
 */

/** One control; `read()` answers its value as the API takes it. @returns {any} */
export function control(/** @type {Spec} */ spec) {
  const { name, label, kind = "text", about, value, options, required, more } = spec;
  const shared = { name, about, required, ...more };
  if (kind === "flag") {
    const made = checkbox(label, { name, about, checked: Boolean(value), ...more });
    return Object.assign(made, { read: () => made.input.checked });
  }
  if (kind === "checks") return checks(spec);
  if (kind === "choice") {
    const made = field(label, { ...shared, options, value: value ?? options?.[0]?.value });
    return Object.assign(made, { read: () => made.input.value });
  }
  if (kind === "list" || kind === "lines") {
    const separator = kind === "list" ? ", " : "\n";
    const made = field(label, { ...shared, tag: kind === "lines" ? "textarea" : "input", value: (value ?? []).join(separator) });
    return Object.assign(made, { read: () => words(made.input.value, kind === "list" ? /[,\n]/ : /\n/) });
  }
  if (kind === "moment") {
    const made = field(label, { ...shared, type: "datetime-local", value: asLocal(value) });
    return Object.assign(made, { read: () => (made.input.value ? new Date(made.input.value).toISOString() : "") });
  }
  if (kind === "number") {
    // Text, so that what is not a number stays to be seen and mended.
    const made = field(label, { class: "short", ...shared, inputmode: "decimal", autocomplete: "off", value: value ?? "" });
    return Object.assign(made, { read: () => asNumber(made.input.value) });
  }
  const type = { password: "password", email: "email" }[/** @type {string} */ (kind)];
  const made = field(label, { autocomplete: "off", ...shared, ...(kind === "long" ? { tag: "textarea" } : { type: type ?? "text" }), value: value ?? "" });
  return Object.assign(made, { read: () => (kind === "password" ? made.input.value : made.input.value.trim()) });
}

/** A time of the API as the browser's control takes it. */
function asLocal(/** @type {string} */ time) {
  if (!time) return "";
  const date = new Date(time);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const words = (/** @type {string} */ text, /** @type {RegExp} */ separator) => text.split(separator).map((item) => item.trim()).filter(Boolean);

/** A number, or the text itself, which the server then refuses in words. */
function asNumber(/** @type {string} */ text) {
  const value = Number(text.trim().replace(",", "."));
  return text.trim() === "" || Number.isNaN(value) ? text.trim() : value;
}

/** Several checkboxes, of which any may be chosen. */
function checks(/** @type {Spec} */ { name, label, about, value = [], options = [], more = {} }) {
  const id = newId(name);
  const wrong = h("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
  const boxes = options.map((option) => h("input", { type: "checkbox", value: option.value, checked: value.includes(option.value), ...more }));
  const element = h("fieldset", { class: "field checks", "aria-describedby": `${id}-wrong` }, h("legend", { class: "label" }, label), about ? h("p", { class: "about" }, about) : null,
    h("div", { class: "check-list" }, options.map((option, at) => h("label", { class: "choice" }, boxes[at], option.words))), wrong);
  return Object.assign(element, {
    input: boxes[0],
    read: () => boxes.filter((box) => box.checked).map((box) => box.value),
    showError: (/** @type {string} */ text) => {
      wrong.textContent = text;
      wrong.hidden = !text;
      boxes[0]?.setAttribute("aria-invalid", text ? "true" : "false");
    },
  });
}

/** Controls by their names. @returns {Record<string, any>} */
export const controls = (/** @type {Spec[]} */ specs) => Object.fromEntries(specs.map((spec) => [spec.name, control(spec)]));

/** What a form holds; empty texts and lists are left out, unless `all`. */
export function read(/** @type {Record<string, any>} */ fields, all = false) {
  const values = Object.entries(fields).map(([name, item]) => [name, item.read()]);
  return Object.fromEntries(values.filter(([, value]) => all || (value !== "" && !(Array.isArray(value) && !value.length))));
}

/**
 * A form; `send` gets the values and may throw an ApiError, which is shown at its fields and loses nothing.
 * @param {Record<string, any>} fields
 * @param {(values: any) => Promise<any>} send
 * @param {{verb: string, done?: (answer: any) => void, cancel?: () => void, all?: boolean, kind?: string, sign?: string}} options
 */
export function form(fields, send, { verb, done, cancel, all = false, kind = "", sign = "" }) {
  const problem = h("p", { class: "notice red", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "button primary" }, verb);
  const element = h("form", { class: `stack ${kind}`, novalidate: true, onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    return once(submit, submitted);
  } }, Object.values(fields), problem, h("footer", { class: "line end" }, cancel ? button(t("common.cancel"), cancel) : null, submit));
  async function submitted() {
    problem.hidden = true;
    try {
      const answer = await send(read(fields, all));
      showErrors({ errors: [] }, fields);
      done?.(answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem.textContent = showErrors(error, fields);
      problem.hidden = !problem.textContent;
    }
  }
  return element;
}

/** A form in a dialog. Answers what `send` answered, or null when it was left. @returns {Promise<any>} */
export async function formDialog(/** @type {string} */ title, /** @type {Spec[]|Record<string, any>} */ specs, /** @type {(values: any) => Promise<any>} */ send, /** @type {any} */ { verb, all = false, about = "", className = "" }) {
  let answered = null;
  const fields = Array.isArray(specs) ? controls(specs) : specs;
  await dialog(title, (close) => [about ? h("p", { class: "soft" }, about) : null,
    form(fields, send, { verb, all, cancel: close, done: (answer) => { answered = answer ?? true; close(); } })], className);
  return answered;
}

export const choices = (/** @type {string[]} */ values, /** @type {(value: string) => string} */ name) => values.map((value) => ({ value, words: name(value) }));

/**
 * What changed, as a PATCH takes it: only different values; an emptied text goes to `clear`.
 * @param {any} values @param {any} before @param {string[]} clearable
 */
export function difference(values, before, clearable = []) {
  /** @type {any} */
  const body = {};
  const clear = [];
  for (const [name, value] of Object.entries(values)) {
    if (JSON.stringify(value) === JSON.stringify(before[name] ?? (Array.isArray(value) ? [] : ""))) continue;
    const isEmpty = value === "" || (Array.isArray(value) && !value.length);
    if (isEmpty && clearable.includes(name)) clear.push(name);
    else body[name] = value;
  }
  return clear.length ? { ...body, clear } : body;
}

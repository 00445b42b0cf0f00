// @ts-check
/** Texts of the console in the person's language. words/en.js has every text; words/de.js the same in German. */

import { preferences } from "./state.js";
import en from "./words/en.js";

export const LANGUAGES = { en: "English", de: "Deutsch" };

/** The language in use: chosen here, else the browser's, else English. */
export const language = (() => {
  const wanted = [preferences.get("language"), ...navigator.languages].map((name) => name.slice(0, 2).toLowerCase());
  return wanted.find((name) => name in LANGUAGES) ?? "en";
})();
document.documentElement.lang = language;

const texts = /** @type {any} */ ({ ...(language === "de" ? (await import("./words/de.js")).default : en) });
const english = /** @type {any} */ ({ ...en });
/** Adds the texts of one page: in English, and in the language in use. */
export function addWords(/** @type {any} */ more, /** @type {any} */ translated) {
  Object.assign(english, more);
  Object.assign(texts, translated);
}

const german = language === "de" ? await import("./words/answers_german.js") : null;

/** The words for a refusal of the server by its code; "" where the server's own English words are shown. */
export const refusalWords = (/** @type {string} */ code) => /** @type {any} */ (german?.ANSWERS)?.[code] ?? "";

/** A sentence of the server about one field, translated where its form is known. */
export function fieldWords(/** @type {string} */ message) {
  const form = german?.FIELDS.find(([pattern]) => pattern.test(message));
  return form ? message.replace(form[0], form[1]) : message;
}

/** The language of a text that is the server's own: null where the page's language holds. */
export const languageOf = (/** @type {boolean} */ isOurs) => (isOurs || !german ? null : "en");

const plural = new Intl.PluralRules(language);

/**
 * A text by its name, such as "desk.new_rows". `{n}` in it is replaced by the value `n`.
 * A text that depends on a number is an object {one, other}, chosen by the value `n`.
 */
export function t(/** @type {string} */ name, /** @type {Record<string, any>} */ values = {}) {
  const found = lookUp(texts, name) ?? lookUp(english, name);
  if (found === undefined) return name;
  const text = typeof found === "string" ? found : found[plural.select(values.n)] ?? found.other;
  return text.replace(/\{(\w+)\}/g, (/** @type {string} */ whole, /** @type {string} */ key) =>
    (key in values ? (typeof values[key] === "number" ? number(values[key]) : String(values[key])) : whole));
}

/** A word of the API, such as a status, in the person's language; an unknown one as it is. */
export const word = (/** @type {string} */ kind, /** @type {string} */ value) => {
  const name = `${kind}.${value}`;
  const text = t(name);
  return text === name ? value.replaceAll("_", " ") : text;
};

function lookUp(/** @type {any} */ tree, /** @type {string} */ name) {
  return name.split(".").reduce((part, key) => part?.[key], tree);
}

export const number = (/** @type {number} */ value, /** @type {any} */ options = {}) => new Intl.NumberFormat(language, options).format(value);
export const percent = (/** @type {number} */ share) => number(share, { style: "percent", maximumFractionDigits: 0 });
export const moment = (/** @type {string} */ time) =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(time));

const STEPS = /** @type {[number, any][]} */ ([[60, "second"], [60, "minute"], [24, "hour"], [7, "day"], [4.35, "week"], [12, "month"], [Infinity, "year"]]);

/** "3 minutes ago", "in 2 hours". */
export function ago(/** @type {string} */ time) {
  let value = (new Date(time).getTime() - Date.now()) / 1000;
  for (const [size, unit] of STEPS) {
    if (Math.abs(value) < size) {
      return unit === "second" ? t("common.now")
        : new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" }).format(Math.round(value), unit);
    }
    value /= size;
  }
  return moment(time);
}

/** "2 h 5 min" of a number of seconds. */
export function duration(/** @type {number} */ seconds) {
  const minutes = Math.round(Math.abs(seconds) / 60);
  const parts = [[Math.floor(minutes / 1440), "day"], [Math.floor(minutes / 60) % 24, "hour"], [minutes % 60, "minute"]];
  const shown = parts.filter(([value]) => value).slice(0, 2);
  return (shown.length ? shown : [[0, "minute"]])
    .map(([value, unit]) => number(/** @type {number} */ (value), { style: "unit", unit, unitDisplay: "short" })).join(" ");
}

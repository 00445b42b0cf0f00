// @ts-check
/** Choices that many forms share; asked once for a page. */

import { get, getAll } from "../api.js";
import { word } from "../words.js";
import { choices } from "../parts/forms.js";

export const ROLES = ["customer", "agent", "admin"];
export const LANGUAGES = ["en", "de", "es", "fr", "pt", "other"];

export const named = (/** @type {string} */ kind, /** @type {string[]} */ values) => choices(values, (value) => word(kind, value));

/** The first choice of a list in which nothing may be chosen. */
export const orNone = (/** @type {string} */ words, /** @type {any[]} */ options) => [{ value: "", words }, ...options];

/** @type {Map<string, string>} */
let teams = new Map();

/** Teams as choices, by their keys. */
export async function teamChoices() {
  const { data } = await get("/api/lookups/teams");
  teams = new Map(data.map((/** @type {any} */ team) => [team.key, team.label]));
  return [...teams].map(([value, words]) => ({ value, words }));
}

/** What a team is called; its key until teams were asked for. */
export const teamName = (/** @type {string} */ key) => teams.get(key) ?? key;

/** The value of a field of tickets in words; a filter may hold several with commas between. */
export function valueWords(/** @type {string} */ name, /** @type {any} */ value) {
  if (name === "assigned_team") return teamName(value);
  const values = Array.isArray(value) ? value : String(value).split(",");
  return values.map((one) => (["status", "priority", "category"].includes(name) ? word(name, one) : one)).join(", ");
}

/** The users of the company. */
export const users = () => getAll("/api/users", {}, 100);

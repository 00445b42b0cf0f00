// @ts-check
/** The history of a ticket in words: one grey line for what was done at one time by one person. */

import { h } from "../dom.js";
import { time } from "../parts/controls.js";
import { icon } from "../parts/icon.js";
import { moment, t, word } from "../words.js";
import { fieldName, shownValue } from "./changes.js";
import { agentName } from "./names.js";

// The thread shows these themselves.
const SHOWN_AS_MESSAGES = new Set(["created", "ai_answered"]);
const TOLD = new Set(["status", "assigned_to", "assigned_team", "priority", "category", "tags", "product", "title", "snoozed_until", "merged_into", "merged_from",
  "links", "watchers", "incident_id", "customer_name", "csat_score", "csat_comment", ""]);
const MOST_WORDS = 60;

/** Entries of one actor at one time together. @returns {any[][]} */
export function lines(/** @type {any[]} */ history) {
  /** @type {any[][]} */
  const groups = [];
  for (const entry of history) {
    if (SHOWN_AS_MESSAGES.has(entry.action) || !TOLD.has(entry.field)) continue;
    const last = groups.at(-1)?.[0];
    if (last && last.created_at === entry.created_at && last.actor === entry.actor) groups.at(-1)?.push(entry);
    else groups.push([entry]);
  }
  return groups;
}

export const isAi = (/** @type {any} */ entry) => entry.actor.toLowerCase() === "ai";
const who = (/** @type {any} */ entry) => agentName(entry.said_by || entry.actor);

function valueWords(/** @type {string} */ field, /** @type {string} */ value) {
  const words = value && /(_at|_until)$/.test(field) ? moment(value) : shownValue(field, value);
  return words.length > MOST_WORDS ? `${words.slice(0, MOST_WORDS)}…` : words;
}

function phrase(/** @type {any} */ entry) {
  if (!entry.field) return word("did", entry.action);
  const field = fieldName(entry.field), to = valueWords(entry.field, entry.to), from = valueWords(entry.field, entry.from);
  if (entry.field === "ai_response" || entry.field === "description") return t("desk.changed_field", { field });
  return entry.from ? t("desk.changed_from", { field, from, to }) : t("desk.changed_to", { field, to });
}

export function historyLine(/** @type {any[]} */ group) {
  return h("p", { class: "event small soft" }, icon(isAi(group[0]) ? "sparkles" : "history"),
    h("span", {}, h("strong", {}, who(group[0])), " · ", group.map(phrase).join(" · ")), time(group[0].created_at));
}

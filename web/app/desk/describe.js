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

/** Events of one actor at one time together. @returns {any[][]} */
export function lines(/** @type {any[]} */ events) {
  /** @type {any[][]} */
  const groups = [];
  for (const event of events) {
    if (SHOWN_AS_MESSAGES.has(event.action) || !TOLD.has(event.field)) continue;
    const last = groups.at(-1)?.[0];
    if (last && last.created_at === event.created_at && last.actor === event.actor) groups.at(-1)?.push(event);
    else groups.push([event]);
  }
  return groups;
}

export const isAi = (/** @type {any} */ event) => event.actor.toLowerCase() === "ai";
const who = (/** @type {any} */ event) => agentName(event.said_by || event.actor);

function valueWords(/** @type {string} */ field, /** @type {string} */ value) {
  const words = value && /(_at|_until)$/.test(field) ? moment(value) : shownValue(field, value);
  return words.length > MOST_WORDS ? `${words.slice(0, MOST_WORDS)}…` : words;
}

function phrase(/** @type {any} */ event) {
  if (!event.field) return word("did", event.action);
  const field = fieldName(event.field), to = valueWords(event.field, event.to), from = valueWords(event.field, event.from);
  if (event.field === "ai_response" || event.field === "description") return t("desk.changed_field", { field });
  return event.from ? t("desk.changed_from", { field, from, to }) : t("desk.changed_to", { field, to });
}

export function eventLine(/** @type {any[]} */ group) {
  return h("p", { class: "event small soft" }, icon(isAi(group[0]) ? "sparkles" : "history"),
    h("span", {}, h("strong", {}, who(group[0])), " · ", group.map(phrase).join(" · ")), time(group[0].created_at));
}

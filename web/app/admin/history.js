// @ts-check
/** What happened, as a list. */

import { h } from "../dom.js";
import { actorName } from "../parts/actors.js";
import { time } from "../parts/controls.js";
import { t, word } from "../words.js";
import { known } from "./parts.js";

/** Entries with the values before and after. */
export function historyList(/** @type {any[]} */ rows) {
  return h("ol", { class: "events" }, rows.map((row) => h("li", {}, h("strong", {}, word("admin.action", row.action)), " ", change(row), h("div", { class: "soft small line" }, actorName(row.actor), row.said_by ? `(${actorName(row.said_by)})` : null, time(row.created_at)))));
}

const NAMED = ["status", "priority", "category", "role", "sentiment"]; // fields whose values have words

/** "priority: low → high", with long texts folded. */
export function change(/** @type {any} */ row) {
  if (!row.field) return null;
  const from = textOf(row.from, row.field), to = textOf(row.to, row.field);
  const words = [h("span", { class: "soft" }, `${known(["audit_field", "setting", "ticket_field"], row.field)}: `), from ? [h("del", { class: "soft" }, short(from)), " → "] : null, short(to) || t("admin.nothing")];
  if (from.length + to.length < 240) return h("span", {}, words);
  return h("details", {}, h("summary", {}, words), h("div", { class: "plain small" }, from, from ? "\n→\n" : null, to));
}

const textOf = (/** @type {any} */ value, /** @type {string} */ field) => (value === null || value === undefined || value === "" ? "" : NAMED.includes(field) ? word(field, String(value)) : typeof value === "object" ? JSON.stringify(value) : String(value));
const short = (/** @type {string} */ text) => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

// @ts-check
/** One message of a thread: who wrote it, when, what it says, its files and its sources. */

import { h } from "../dom.js";
import { markdown } from "../md.js";
import { t } from "../words.js";
import { time } from "./controls.js";
import { icon } from "./icon.js";

const QUOTED = /(?:\n\s*>[^\n]*){3,}|\n(?:On [^\n]{6,120} wrote:|Am [^\n]{6,120} schrieb[^\n]*:|-{3,} ?Original Message ?-{3,})[\s\S]*$/;

/**
 * @param {any} message A reply of the API, or a message of the chat.
 * @param {{author?: string, side?: string, files?: any, extra?: any}} [options] `side`: customer, agent or note.
 */
export function messageElement(message, { author, side, files = null, extra = null } = {}) {
  const role = message.author_role ?? message.role;
  const kind = side ?? (message.internal ? "note" : role === "customer" ? "customer" : "agent");
  const name = author ?? (role === "ai" ? t("common.assistant") : message.author_name || message.author_email || t(`common.${role}`));
  return h("article", { class: `message ${kind}` },
    h("header", {}, kind === "note" ? [icon("lock"), h("span", { class: "strong" }, t("common.note"))] : null, role === "ai" ? icon("sparkles") : null,
      h("strong", {}, name), time(message.created_at)),
    body(message.body ?? "", role), sources(message.citations), files, extra);
}

/** Words of people stay as they are written; the assistant and the staff may use Markdown. */
function body(/** @type {string} */ text, /** @type {string} */ role) {
  const quoted = QUOTED.exec(text);
  const words = quoted ? text.slice(0, quoted.index) : text;
  const shown = role === "customer" ? h("div", { class: "plain" }, words) : markdown(words);
  return quoted ? [shown, h("details", {}, h("summary", { class: "soft" }, t("common.quoted")), h("div", { class: "plain soft" }, quoted[0].trim()))] : shown;
}

/** Whether the first reply says what the description says: a chat begins with the message that opened the ticket. */
export const beginsWithDescription = (/** @type {any} */ ticket, /** @type {any[]} */ replies) =>
  replies[0]?.author_role === "customer" && replies[0].body.trim() === ticket.description.trim();

/** Numbered sources of an answer. */
export function sources(/** @type {any[]|undefined} */ citations) {
  if (!citations?.length) return null;
  return h("ol", { class: "sources small soft", "aria-label": t("common.sources") },
    citations.map((citation, at) => h("li", {}, `[${at + 1}] `, citation.title)));
}

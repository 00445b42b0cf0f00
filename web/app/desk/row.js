// @ts-check
/** One ticket in the queue: who, what, since when, and at most two things that need somebody. */

import { h } from "../dom.js";
import { avatar, chip, time } from "../parts/controls.js";
import { isOpen } from "../values.js";
import { ago, duration, t, word } from "../words.js";
import { agentLabel, agentName, customerOf, myName, teamName } from "./names.js";
import { ticketAddress } from "./places.js";
import { draftOf, isUnread } from "./state.js";

/** The time that counts next: the first answer until there is one, then the resolution. */
export const dueAt = (/** @type {any} */ ticket) =>
  (ticket.first_response_at ? ticket.resolve_due_at : ticket.first_response_due_at) ?? ticket.resolve_due_at ?? "";

/** "Due in 23 min" or "2 h late", where it is near or over. */
export function dueChip(/** @type {any} */ ticket) {
  const due = dueAt(ticket);
  if (!due || !isOpen(ticket) || !["at_risk", "breached"].includes(ticket.sla_status)) return null;
  const seconds = (new Date(due).getTime() - Date.now()) / 1000;
  // Of a time of days only the days count, of hours only the hours.
  const unit = Math.abs(seconds) >= 86_400 ? 86_400 : Math.abs(seconds) >= 10_800 ? 3_600 : 60;
  const rounded = Math.round(seconds / unit) * unit;
  return seconds < 0 ? chip(t("desk.late", { time: duration(rounded) }), "red", "clock") : chip(t("desk.due_in", { time: duration(rounded) }), "amber", "clock");
}

export function priorityChip(/** @type {any} */ ticket) {
  const colour = /** @type {any} */ ({ urgent: "red", high: "amber" })[ticket.priority];
  return colour ? chip(word("priority", ticket.priority), colour, "flag") : null;
}

/** Whose turn it is, where the last words say so. What waits for somebody else shows their initials instead. */
function waitingChip(/** @type {any} */ ticket) {
  if (ticket.status === "waiting_customer") return chip(word("status", ticket.status), "", "clock");
  const ours = ticket.last_message_by === "customer" && ticket.ai_status !== "pending";
  return ours && ["", myName()].includes(ticket.assigned_to) ? chip(t("desk.waits_for_you"), "blue", "inbox") : null;
}

/** The last public words, and who wrote them if it was not the customer. */
function lastWords(/** @type {any} */ { last_message: words, last_message_by: by, description }) {
  const author = /** @type {any} */ ({ agent: t("desk.agent"), ai: t("actor.ai") })[by];
  return author ? `${author}: ${words}` : words ?? description;
}

/** At most two marks, the most pressing first. */
function chips(/** @type {any} */ ticket) {
  const open = isOpen(ticket);
  return [
    ticket.status === "handoff" ? chip(t("desk.needs_person"), "violet", "hand") : null,
    dueChip(ticket),
    open ? priorityChip(ticket) : chip(word("status", ticket.status), "green", "circle-check"),
    open ? waitingChip(ticket) : null,
    open && ticket.ai_status === "pending" ? chip(t("desk.ai_answering"), "blue", "sparkles") : null,
    ticket.snoozed_until ? chip(ago(ticket.snoozed_until), "", "alarm-clock") : null,
    ticket.incident_id && open ? chip(t("desk.incident"), "violet", "layers") : null,
  ].filter(Boolean).slice(0, 2);
}

/** @param {any} ticket @param {{pick: (id: string, range: boolean) => void}} options */
export function queueRow(ticket, { pick }) {
  const draft = draftOf(ticket.id).body, unread = isUnread(ticket);
  const box = h("input", {
    type: "checkbox", "aria-label": t("desk.pick", { number: String(ticket.number) }),
    onclick: (/** @type {MouseEvent} */ event) => pick(ticket.id, event.shiftKey),
  });
  const more = [`#${ticket.number}`, word("status", ticket.status), word("category", ticket.category), teamName(ticket.assigned_team), ...ticket.tags].join(" · ");
  return h("li", { class: `row ${unread ? "unread" : ""}`, title: more },
    h("label", { class: "pick" }, box),
    h("a", { href: ticketAddress(ticket.id), draggable: "false" },
      h("span", { class: "first" }, unread ? h("span", { class: "dot" }, h("span", { class: "unseen" }, t("desk.unread"))) : null,
        h("span", { class: "who cut" }, customerOf(ticket)), time(ticket.updated_at)),
      h("span", { class: "subject cut" }, ticket.title),
      h("span", { class: "last" },
        h("span", { class: "cut grow words" }, draft ? [h("strong", { class: "draft" }, t("desk.draft_mark")), ` ${draft}`] : lastWords(ticket)),
        h("span", { class: "marks" }, chips(ticket), ticket.assigned_to ? [avatar(agentLabel(ticket.assigned_to)), h("span", { class: "unseen" }, agentName(ticket.assigned_to))] : null))));
}

/** What must be the same for a row to stay as it is. */
export const rowVersion = (/** @type {any} */ ticket) =>
  [ticket.version, ticket.updated_at, ticket.last_message, ticket.ai_status, ticket.sla_status, ticket.snoozed_until, isUnread(ticket), draftOf(ticket.id).body,
    dueChip(ticket)?.textContent, agentLabel(ticket.assigned_to), teamName(ticket.assigned_team), ticketAddress(ticket.id)].join("|");

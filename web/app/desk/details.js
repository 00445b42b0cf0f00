// @ts-check
/** Details of the open ticket: fields, customer, links, watchers, files and history. Each value is a button that changes it. */

import { get, patch as save, post, remove } from "../api.js";
import { h } from "../dom.js";
import { isGuest } from "../parts/actors.js";
import { button, chip, time } from "../parts/controls.js";
import { fileList } from "../parts/files.js";
import { icon } from "../parts/icon.js";
import { into, skeleton } from "../parts/states.js";
import { toast, toastError } from "../parts/toast.js";
import { may, mayWork } from "../session.js";
import { duration, moment, t, word } from "../words.js";
import { askText, deleteTicket, editTags, merge, pickAgent, pickCategory, pickPriority, pickStatus, snooze } from "./actions.js";
import { fieldName, refresh } from "./changes.js";
import { historyLine } from "./describe.js";
import { agentName, customerOf, teamName } from "./names.js";
import { ticketAddress } from "./places.js";
import { isOpen } from "../values.js";
import { opened } from "./state.js";
import { linkTicket } from "./linking.js";
import { statusChip } from "./ticket_pane.js";

export function details() {
  const { ticket, history, files } = opened.get();
  return [fields(ticket), customerCard(ticket), links(ticket), watchers(ticket),
    files.length ? section(t("desk.files"), fileList(files)) : null,
    history.length ? h("details", { class: "panel-section" }, h("summary", {}, h("h3", {}, t("desk.history"))), h("div", { class: "stack tight" }, history.map((/** @type {any} */ entry) => historyLine([entry])))) : null,
    mayWork() ? h("div", { class: "line panel-section" }, isOpen(ticket) ? button(t("desk.merge"), () => merge([ticket]), { icon: "git-merge", kind: "quiet" }) : null,
      ticket.snoozed_until || !isOpen(ticket) ? null : button(t("desk.snooze"), () => snooze([ticket]), { icon: "alarm-clock", kind: "quiet", keys: "h" }),
      may("tickets.delete") ? button(t("desk.delete"), deleteTicket, { icon: "trash-2", kind: "quiet" }) : null) : null];
}

export const section = (/** @type {any} */ title, /** @type {any[]} */ ...content) => h("section", { class: "panel-section" }, h("h3", {}, title), content);

function fields(/** @type {any} */ ticket) {
  const value = (/** @type {any} */ shown, /** @type {(() => any)|null} */ run, /** @type {string} */ label, keys = "") =>
    (run && mayWork() ? h("button", { type: "button", class: "value", "aria-label": `${label}: ${shown?.textContent ?? shown}`, "aria-keyshortcuts": keys || null, onclick: () => { run(); } }, shown) : h("span", {}, shown));
  const rows = /** @type {[string, any, (() => any)|null, string][]} */ ([
    ["status", statusChip(ticket.status), () => pickStatus([ticket]), "s"],
    ["assigned_to", ticket.assigned_to ? agentName(ticket.assigned_to) : t("desk.nobody"), () => pickAgent([ticket]), "a"],
    ["assigned_team", teamName(ticket.assigned_team), () => pickAgent([ticket]), "a"],
    ["priority", word("priority", ticket.priority), () => pickPriority([ticket]), "p"],
    ["category", word("category", ticket.category), () => pickCategory([ticket]), ""],
    ["tags", ticket.tags.length ? h("span", { class: "line" }, ticket.tags.map((/** @type {string} */ tag) => chip(tag))) : t("desk.nothing"), () => editTags([ticket]), "l"],
    ["product", ticket.product || t("desk.nothing"), () => editProduct(ticket), ""],
    ["snoozed_until", ticket.snoozed_until ? moment(ticket.snoozed_until) : "", () => snooze([ticket]), "h"],
    ["source", word("source", ticket.source), null, ""],
    ["topic", ticket.topic ?? "", null, ""],
    ["created_at", time(ticket.created_at), null, ""],
    ["resolve_due_at", ticket.resolve_due_at ? moment(ticket.resolve_due_at) : "", null, ""],
    ["expected", ticket.expected_resolution_seconds ? duration(ticket.expected_resolution_seconds) : "", null, ""],
    ["external_id", ticket.external_id, null, ""],
    ["csat_score", ticket.csat_score ? t("desk.of_five", { n: ticket.csat_score }) : "", null, ""],
  ]);
  return h("dl", { class: "fields" }, rows.filter(([, shown]) => shown !== "").map(([name, shown, run, keys]) =>
    h("div", {}, h("dt", {}, fieldName(name)), h("dd", {}, value(shown, run, fieldName(name), keys)))));
}

const editProduct = (/** @type {any} */ ticket) => askText(fieldName("product"), fieldName("product"), t("common.save"), async (text) => {
  await save(`/api/tickets/${ticket.id}`, text ? { product: text } : { clear: ["product"] });
  await refresh([ticket]);
}, { tag: "input", value: ticket.product, required: false });

function customerCard(/** @type {any} */ ticket) {
  const past = h("div", {});
  const name = ticket.customer_email || ticket.customer_id;
  if (name) {
    into(past, async () => {
      const who = ticket.customer_email ? { customer_email: ticket.customer_email } : { customer_id: ticket.customer_id };
      const { data, total } = await get("/api/tickets", { ...who, limit: 6 });
      const others = data.filter((/** @type {any} */ one) => one.id !== ticket.id).slice(0, 5);
      return others.length ? [h("p", { class: "soft small" }, t("desk.their_tickets", { n: total })), h("ul", { class: "stack tight" }, others.map(pastTicket))] : h("p", { class: "soft small" }, t("desk.first_ticket"));
    }, skeleton(3, "lines"));
  }
  return section(t("common.customer"), h("p", { class: "strong" }, customerOf(ticket)),
    ticket.customer_email ? h("p", {}, h("a", { href: `mailto:${ticket.customer_email}` }, ticket.customer_email)) : null,
    ticket.customer_id && !isGuest(ticket.customer_id) ? h("p", { class: "soft small" }, ticket.customer_id) : null,
    h("p", {}, chip(word("tier", ticket.customer_tier)), " ", chip(word("sentiment", ticket.sentiment), ticket.sentiment === "negative" ? "amber" : "")), past);
}

const pastTicket = (/** @type {any} */ one) => h("li", { class: "past" }, h("a", { href: ticketAddress(one.id), class: "cut" }, one.title),
  h("span", { class: "line small soft" }, word("status", one.status), time(one.created_at)));

function links(/** @type {any} */ ticket) {
  const rows = ticket.links ?? [];
  const unlink = async (/** @type {any} */ link) => {
    try {
      await remove(`/api/tickets/${ticket.id}/links`, { ticket_id: link.ticket_id, kind: link.kind });
      toast(t("desk.unlinked", { number: String(link.number) }), { undo: () => post(`/api/tickets/${ticket.id}/links`, { ticket_id: link.ticket_id, kind: link.kind }).then(() => refresh([ticket]), toastError) });
    } catch (error) { toastError(error); }
    await refresh([ticket]);
  };
  return section(t("desk.links"), rows.length ? h("ul", { class: "stack tight" }, rows.map((/** @type {any} */ link) => h("li", { class: "line" }, icon("link"),
    h("a", { href: ticketAddress(link.ticket_id), class: "grow" }, `${word("link", link.kind)} #${link.number}`),
    mayWork() ? button(t("desk.unlink", { number: String(link.number) }), () => unlink(link), { icon: "x", iconOnly: true, kind: "quiet tiny" }) : null))) : null,
  mayWork() ? button(t("desk.add_link"), () => linkTicket(ticket), { icon: "plus", kind: "quiet small-button" }) : null);
}

function watchers(/** @type {any} */ ticket) {
  const rows = ticket.watchers ?? [];
  const path = `/api/tickets/${ticket.id}/watchers`;
  const add = async (/** @type {string} */ email) => { await post(path, { email }); await refresh([ticket]); };
  const drop = async (/** @type {string} */ email) => {
    try {
      await remove(path, { email });
      toast(t("desk.unwatched", { who: email }), { undo: () => add(email).catch(toastError) });
    } catch (error) { toastError(error); }
    await refresh([ticket]);
  };
  return section(t("desk.watchers"), rows.length ? h("ul", { class: "stack tight" }, rows.map((/** @type {string} */ email) => h("li", { class: "line" }, icon("eye"), h("span", { class: "grow cut" }, email),
    mayWork() ? button(t("desk.unwatch", { who: email }), () => drop(email), { icon: "x", iconOnly: true, kind: "quiet tiny" }) : null))) : null,
  mayWork() ? button(t("desk.add_watcher"), () => askText(t("desk.add_watcher"), t("desk.watcher_email"), t("common.save"), add, { tag: "input", type: "email" }), { icon: "plus", kind: "quiet small-button" }) : null);
}

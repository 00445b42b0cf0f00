// @ts-check
/** One ticket of the customer: the thread, the reply, and what they may say about it. */

import { get, getAll, post } from "../api.js";
import { fill, h, later, updateList } from "../dom.js";
import { askNow, onEvents } from "../live.js";
import { button, linkButton, time } from "../parts/controls.js";
import { fileList } from "../parts/files.js";
import { icon } from "../parts/icon.js";
import { ratingBox } from "../parts/rating.js";
import { failed, skeleton } from "../parts/states.js";
import { beginsWithDescription, messageElement } from "../parts/thread.js";
import { toast, toastError } from "../parts/toast.js";
import { may } from "../session.js";
import { isSolved } from "../values.js";
import { t } from "../words.js";
import { chatAddress, stateChip } from "./places.js";
import { replyBox } from "./reply.js";

export function ticketPage(/** @type {string} */ id) {
  const head = h("header", { class: "stack tight" }, h("h1", {}, t("portal.ticket"))), thread = h("div", { class: "thread", "aria-busy": "true" }, skeleton(3));
  const actions = h("div", { class: "stack" }), reply = replyBox(id, async () => { await load(); askNow(); });
  const page = h("div", { class: "stack" }, h("p", {}, h("a", { class: "back", href: "/portal" }, icon("arrow-left"), t("portal.mine"))), head, thread, actions, reply.element);
  reply.element.hidden = true;
  let shown = "", asked = false, timer = 0;

  async function load() {
    try {
      const [ticket, replies, files] = await Promise.all([
        get(`/api/tickets/${id}`), getAll(`/api/tickets/${id}/replies`), getAll(`/api/tickets/${id}/attachments`)]);
      draw(ticket.data, replies, files);
    } catch (error) {
      if (!shown) fill(thread, failed(error, load));
    }
  }

  function draw(/** @type {any} */ ticket, /** @type {any[]} */ replies, /** @type {any[]} */ files) {
    document.title = `${ticket.title} · Foyer`;
    thread.removeAttribute("aria-busy");
    thread.querySelector(".skeleton, .state")?.remove();
    const heading = /** @type {HTMLElement} */ (head.firstElementChild); // it stays, for it may have the focus
    heading.textContent = ticket.title;
    heading.nextElementSibling?.remove();
    head.append(h("p", { class: "line soft" }, stateChip(ticket), `#${ticket.number}`, " · ", t("portal.opened"), time(ticket.created_at)));
    const filesOf = (/** @type {string} */ replyId) => files.filter((file) => (file.reply_id ?? "") === replyId);
    updateList(thread, messages(ticket, replies, filesOf), (one) => one.id, (one) => messageElement(one, { author: one.author, files: fileList(one.files) }),
      (one) => JSON.stringify([one.body, one.files.length]));
    clearTimeout(timer);
    if (ticket.ai_status === "pending") timer = window.setTimeout(load, 3_000);
    const state = `${ticket.status}.${ticket.csat_score ?? ""}.${ticket.ai_status}.${ticket.merged_into ?? ""}`;
    if (state === shown) return;
    shown = state;
    reply.setSolved(isSolved(ticket));
    const rated = asked && ticket.csat_score; // their thanks stay on the page
    if (!rated) fill(actions, sayings(ticket));
    asked = isSolved(ticket);
  }

  function sayings(/** @type {any} */ ticket) {
    if (ticket.merged_into) return [h("p", { class: "notice" }, t("portal.merged"), " ", h("a", { href: `/portal/tickets/${ticket.merged_into}` }, t("portal.merged_to")))];
    if (!isSolved(ticket)) return [
      ticket.ai_status === "pending" ? h("p", { class: "soft line", role: "status" }, icon("sparkles"), t("portal.looking")) : null,
      h("div", { class: "choices" },
        may("tickets.rate") ? button(t("portal.it_is_solved"), () => say(), { icon: "circle-check" }) : null,
        ticket.source === "chat" ? linkButton(t("portal.to_chat"), chatAddress(), { icon: "message-circle" }) : null),
    ];
    return [
      h("p", { class: "notice green" }, icon("circle-check"), t("portal.solved_note")),
      ticket.csat_score || !may("tickets.rate") ? null : ratingBox(id),
      h("div", { class: "choices" }, button(t("portal.it_is_back"), () => reply.open(), { icon: "undo-2" })),
    ];
  }

  async function say() {
    try {
      await post(`/api/tickets/${id}/solved`);
      toast(t("portal.glad"));
      await load();
      /** @type {any} */ (actions.querySelector("button"))?.focus();
      askNow();
    } catch (error) {
      toastError(error);
    }
  }

  load();
  const end = onEvents(later((/** @type {any[]} */ events) => { if (events.some((event) => event.ticket_id === id)) load(); }, 50));
  return { title: t("portal.ticket"), content: page, close: () => { end(); clearTimeout(timer); } };
}

/** The customer's words, the assistant's answer, and the replies, in the order of time. */
function messages(/** @type {any} */ ticket, /** @type {any[]} */ replies, /** @type {(id: string) => any[]} */ filesOf) {
  const first = { id: "first", author_role: "customer", author: t("portal.you"), body: ticket.description, created_at: ticket.created_at, files: filesOf("") };
  // In a chat the answers of the assistant are replies.
  const answer = ticket.ai_response && ticket.source !== "chat" && !replies.some((one) => one.body === ticket.ai_response)
    ? [{ id: "ai", author_role: "ai", body: ticket.ai_response, created_at: ticket.first_response_at ?? ticket.created_at, files: [] }] : [];
  const said = ticket.resolution && isSolved(ticket) && ticket.source !== "chat" && ticket.resolution !== SAID_BY_CUSTOMER && !replies.some((one) => one.body === ticket.resolution)
    ? [{ id: "resolution", author_role: "agent", author: t("portal.resolution"), body: ticket.resolution, created_at: ticket.resolved_at, files: [] }] : [];
  const begins = beginsWithDescription(ticket, replies);
  const rest = replies.map((one, at) => ({
    ...one, author: one.author_role === "customer" ? t("portal.you") : undefined, files: begins && !at ? [...first.files, ...filesOf(one.id)] : filesOf(one.id),
  }));
  return [...(begins ? [] : [first]), ...[...answer, ...rest, ...said].sort((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0))];
}

const SAID_BY_CUSTOMER = "The customer said that it is solved."; // services/tickets/solving.py

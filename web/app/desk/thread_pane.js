// @ts-check
/** The thread of the open ticket: messages, notes and changes in the order in which they happened. */

import { fill, h, updateList } from "../dom.js";
import { isGuest } from "../parts/actors.js";
import { button } from "../parts/controls.js";
import { chosenFile, fileList } from "../parts/files.js";
import { icon } from "../parts/icon.js";
import { beginsWithDescription, messageElement, sources } from "../parts/thread.js";
import { t } from "../words.js";
import { historyLine, lines } from "./describe.js";
import { watchMessages } from "./missed.js";
import { customerOf, signature } from "./names.js";
import { deliver, outbox, takeBack } from "./outbox.js";
import { desk, lasting, opened, seenAt } from "./state.js";

/** What the server calls whoever writes with a key. */
const SUPPORT = "Support";

/** @typedef {{key: string, at: string, make: () => any, version: string}} Entry */

export function threadPane() {
  const list = h("div", { class: "thread", role: "log", "aria-label": t("desk.thread"), "aria-live": "off" });
  // Over the end of the thread: something came in below what is shown.
  const below = h("div", { role: "status", class: "below" });
  let shownTicket = "", known = 0;
  const draw = () => {
    const { ticket, replies, history } = opened.get();
    if (!ticket) { list.replaceChildren(); shownTicket = ""; return; }
    const pane = list.closest(".ticket-scroll");
    const wasAtEnd = pane ? isAtEnd(pane) : false, isNew = shownTicket !== ticket.id;
    updateList(list, entries(ticket), (entry) => entry.key, (entry) => entry.make(), (entry) => entry.version);
    watchMessages(list);
    const hasMore = !isNew && replies.length > known && !wasAtEnd;
    known = replies.length;
    if (hasMore && pane) fill(below, toTheEnd(pane, below));
    else if (wasAtEnd || isNew) fill(below);
    if (isNew && history.length) {
      shownTicket = ticket.id;
      firstUnread(list, seenBefore.get(ticket.id) ?? "");
    } else if (wasAtEnd && pane && (isNew || replies.length || history.length)) pane.scrollTop = pane.scrollHeight;
  };
  drawOnChanges(draw);
  requestAnimationFrame(() => list.closest(".ticket-scroll")?.addEventListener("scroll", (/** @type {any} */ { target: pane }) => {
    if (isAtEnd(pane)) fill(below);
  }, { passive: true }));
  return [list, below];
}

const isAtEnd = (/** @type {Element} */ pane) => pane.scrollHeight - pane.scrollTop - pane.clientHeight < 80;

const toTheEnd = (/** @type {Element} */ pane, /** @type {HTMLElement} */ below) =>
  button(t("desk.new_message"), () => { pane.scrollTop = pane.scrollHeight; fill(below); }, { icon: "chevron-down", kind: "small-button" });

/** Draws when the open ticket, its thread, or what is on its way changes; notes before when a ticket was last seen. */
function drawOnChanges(/** @type {() => void} */ draw) {
  lasting(desk.subscribe(({ ticketId }, before) => { if (ticketId && ticketId !== before.ticketId) seenBefore.set(ticketId, seenAt(ticketId)); }));
  lasting(opened.subscribe((now, before) => {
    if (now === before || now.ticket !== before.ticket || now.replies !== before.replies || now.history !== before.history || now.files !== before.files) draw();
  }));
  lasting(outbox.subscribe(draw));
}

/** When each ticket was last seen before it was opened this time. @type {Map<string, string>} */
const seenBefore = new Map();

/** Opens at the first message that is new, else at the end. */
function firstUnread(/** @type {HTMLElement} */ list, /** @type {string} */ since) {
  const fresh = since && /** @type {any[]} */ ([...list.children]).find((row) => row.matches(".message") && (row.querySelector("time")?.dateTime ?? "") > since);
  const pane = list.closest(".ticket-scroll");
  if (fresh && fresh !== list.firstElementChild) fresh.scrollIntoView({ block: "start" });
  else if (pane && !fresh) pane.scrollTop = pane.scrollHeight;
}

/** @returns {Entry[]} */
function entries(/** @type {any} */ ticket) {
  const { replies, history, files, conversation } = opened.get();
  const cited = new Map((conversation?.messages ?? []).map((/** @type {any} */ message) => [message.id, message.citations]));
  const first = { id: "", author_role: "customer", author_name: customerOf(ticket), body: ticket.description, created_at: ticket.created_at };
  const begins = beginsWithDescription(ticket, replies);
  const ownFiles = (/** @type {any} */ reply) => (begins && reply === replies[0] ? [...filesOf(files, ""), ...filesOf(files, reply.id)] : filesOf(files, reply.id));
  const messages = [...(begins ? [] : [first]), ...replies].map((reply) => messageEntry(reply, ownFiles(reply), cited.get(reply.id)));
  const said = replies.some((reply) => reply.body === ticket.resolution);
  const solved = ticket.resolution && ticket.resolved_at && !said ? [resolutionEntry(ticket)] : [];
  const done = lines(history).map((group) => ({ key: `e${group[0].id}`, at: group[0].created_at, version: String(group.length), make: () => historyLine(group) }));
  const all = [...messages, ...solved, ...done].sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
  const waiting = outbox.get().items.filter((item) => item.ticketId === ticket.id).map(waitingEntry);
  return [...all, ...waiting];
}

const filesOf = (/** @type {any[]} */ files, /** @type {string} */ id) => files.filter((file) => file.reply_id === id);

function messageEntry(/** @type {any} */ reply, /** @type {any[]} */ files, /** @type {any[]|undefined} */ citations) {
  return {
    key: reply.id || "first", at: reply.created_at, version: `${reply.body.length} ${files.length} ${citations?.length ?? 0}`,
    make: () => messageElement(reply, { ...guestAuthor(reply), files: fileList(files), extra: sources(citations) }),
  };
}

/** A guest writes under the same name as in the heading. */
function guestAuthor(/** @type {any} */ reply) {
  const { ticket } = opened.get();
  return reply.author_role === "customer" && isGuest(ticket?.customer_id) ? { author: customerOf(ticket) } : {};
}

function resolutionEntry(/** @type {any} */ ticket) {
  const message = { author_role: "agent", author_name: t("desk.resolution"), body: ticket.resolution, created_at: ticket.resolved_at };
  return { key: "resolution", at: ticket.resolved_at, version: ticket.resolution, make: () => messageElement(message) };
}

/** A text that is held, on its way, or waits for the network. */
function waitingEntry(/** @type {import("./outbox.js").Item} */ item) {
  const words = { waiting: t("desk.held"), sending: t("desk.sending"), lost: t("desk.not_sent") }[item.state];
  const make = () => {
    const message = { author_role: "agent", internal: item.mode === "note", author_name: signature() || SUPPORT, body: item.body, created_at: new Date().toISOString() };
    const element = messageElement(message, {
      files: h("div", { class: "files" }, item.files.map((one) => chosenFile(one))),
      extra: h("p", { class: "line small", role: "status" }, icon(item.state === "lost" ? "wifi-off" : "clock"), words,
        item.state === "sending" ? null : button(t("common.undo"), () => takeBack(item), { icon: "undo-2", kind: "quiet small-button" }),
        item.state === "lost" ? button(t("common.try_again"), () => deliver(item), { kind: "quiet small-button" }) : null),
    });
    element.classList.add("held");
    // Whoever sent it sees it with its undo, and sees that it waits.
    if (item.state !== "sending") requestAnimationFrame(() => element.scrollIntoView({ block: "nearest" }));
    return element;
  };
  return { key: item.key, at: "9", version: JSON.stringify([item.state, item.files.map(({ id, share }) => [id, share])]), make };
}

/** Brings a message of the open ticket into view. */
export const showMessage = (/** @type {string} */ id) => document.querySelector(`.thread > [data-key="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "start" });

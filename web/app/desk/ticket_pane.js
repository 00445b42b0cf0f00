// @ts-check
/** The open ticket: its heading, who else is there, the thread and the composer. */

import { patch as save, post } from "../api.js";
import { fill, h } from "../dom.js";
import { actorName } from "../parts/actors.js";
import { button, chip } from "../parts/controls.js";
import { menu } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import { failed, skeleton } from "../parts/states.js";
import { toast, toastError } from "../parts/toast.js";
import { mayWork } from "../session.js";
import { isOpen } from "../values.js";
import { moment, t, word } from "../words.js";
import { assignToMe, pickAgent, pickStatus, resolve } from "./actions.js";
import { change, refresh } from "./changes.js";
import { composer } from "./composer.js";
import { fillAnew } from "./keep_focus.js";
import { agentName, customerOf, myName } from "./names.js";
import { backToQueue, queueAddress } from "./places.js";
import { togglePanel } from "./panel.js";
import { dueAt, dueChip, priorityChip } from "./row.js";
import { desk, lasting, opened } from "./state.js";
import { threadPane } from "./thread_pane.js";
import { loadTicket } from "./ticket_data.js";

const SIGNS = /** @type {Record<string, [string, string]>} */ ({
  new: ["circle", "blue"], ai_responded: ["sparkles", "blue"], assigned: ["circle-dot", "blue"], in_progress: ["circle-dot", "amber"],
  waiting_customer: ["clock", ""], handoff: ["hand", "violet"], resolved: ["circle-check", "green"], closed: ["circle-x", ""],
});
export const statusChip = (/** @type {string} */ status) => chip(word("status", status), SIGNS[status]?.[1] ?? "", SIGNS[status]?.[0] ?? "circle");

export function ticketPane() {
  const heading = h("header", { class: "ticket-header" });
  const notices = h("div", { class: "notices" });
  const waiting = h("div", {});
  const [thread, below] = threadPane();
  const nothing = h("p", { class: "soft nothing-open" }, icon("inbox"), t("desk.nothing_open"));
  const write = composer();
  const scroll = h("div", { class: "ticket-scroll", tabindex: "0", role: "region", "aria-label": t("desk.thread") }, waiting, thread);
  const content = h("div", { class: "ticket-content", hidden: true }, heading, notices, scroll, below, write);
  const element = h("section", { class: "ticket-pane", "aria-label": t("desk.ticket") }, nothing, content);
  lasting(desk.subscribe(({ ticketId }) => { nothing.hidden = Boolean(ticketId); content.hidden = !ticketId; }));
  lasting(opened.subscribe((now, before) => {
    if (now === before || now.ticket !== before.ticket || now.conversation !== before.conversation) {
      if (!heading.contains(/** @type {any} */ (document.activeElement)?.closest?.("input"))) drawHeading(heading, now);
    }
    if (now === before || now.conflict !== before.conflict || now.others !== before.others || now.conversation !== before.conversation) fillAnew(notices, notes(now), () => element.querySelector(".subject-line"));
    fill(waiting, now.failure ? [failed(now.failure, () => loadTicket(desk.get().ticketId)), h("p", { class: "state" }, h("a", { href: queueAddress() }, t("desk.back")))]
      : now.ticket && now.history.length ? null : desk.get().ticketId ? skeleton(3) : null);
    thread.hidden = Boolean(now.failure);
  }));
  return element;
}

/** Draws the heading; the focus stays on the button that had it. */
function drawHeading(/** @type {HTMLElement} */ heading, /** @type {any} */ { ticket, conversation }) {
  const focused = heading.contains(document.activeElement) ? /** @type {any} */ (document.activeElement).dataset.act : "";
  const back = button(t("desk.back"), backToQueue, { icon: "arrow-left", iconOnly: true, kind: "quiet back", keys: "u" });
  if (!desk.get().ticketId) fill(heading);
  else if (!ticket) fill(heading, h("div", { class: "line" }, back, h("h1", { class: "subject-line", tabindex: "-1", "data-act": "heading" }, t("common.loading"))));
  else fill(heading,
    h("div", { class: "line subject-row" }, back,
      h("h1", { class: "subject-line grow", tabindex: "-1", "data-act": "heading" }, ticket.title),
      mayWork() ? button(t("desk.edit_subject"), () => editSubject(heading, ticket), { icon: "pencil", iconOnly: true, kind: "quiet", "data-act": "subject" }) : null,
      button(t("desk.panel"), togglePanel, { icon: "panel-right", iconOnly: true, kind: "quiet panel-toggle", keys: "]", "data-act": "panel" })),
    h("div", { class: "line" }, h("span", { class: "soft" }, `#${ticket.number}`), h("span", { class: "cut from" }, customerOf(ticket)),
      h("span", { class: "line marks" }, statusChip(ticket.status), priorityChip(ticket), dueChip(ticket) ?? dueWords(ticket), ticket.snoozed_until ? chip(moment(ticket.snoozed_until), "", "alarm-clock") : null),
      mayWork() ? verbs(ticket, conversation) : null));
  if (focused) /** @type {any} */ (heading.querySelector(`[data-act="${CSS.escape(focused)}"]`))?.focus();
}

const dueWords = (/** @type {any} */ ticket) => (dueAt(ticket) && isOpen(ticket) ? h("span", { class: "soft small" }, t("desk.due_at", { time: moment(dueAt(ticket)) })) : null);

function verbs(/** @type {any} */ ticket, /** @type {any} */ conversation) {
  const who = button(ticket.assigned_to ? agentName(ticket.assigned_to) : t("desk.assign"), () => pickAgent([ticket]), { icon: "user", keys: "a", "data-act": "assign" });
  if (!isOpen(ticket)) return h("span", { class: "line verbs" }, who, button(t("desk.reopen"), () => change([ticket], { action: "reopen" }, t("desk.reopened", { what: `#${ticket.number}` })), { icon: "undo-2", "data-act": "reopen" }));
  const more = button(t("desk.more_ways"), () => menu(more, [
    { words: t("desk.resolve_next"), run: () => resolve([ticket], true) },
    { words: t("desk.wait"), run: () => change([ticket], { set: { status: "waiting_customer" } }, t("desk.set_to", { what: `#${ticket.number}`, field: word("field", "status"), value: word("status", "waiting_customer") })) },
    { words: t("desk.other_status"), run: () => pickStatus([ticket]) },
    ...(conversation?.escalation ? [{ words: t("desk.return_to_ai"), run: () => returnToAi(ticket) }] : []),
  ]), { icon: "chevron-down", iconOnly: true, "data-act": "more" });
  return h("span", { class: "line verbs" }, who, h("span", { class: "line split" }, button(t("desk.resolve"), () => resolve([ticket]), { icon: "circle-check", keys: "e", "data-act": "resolve" }), more));
}

async function returnToAi(/** @type {any} */ ticket) {
  try {
    await post(`/api/chat/${encodeURIComponent(ticket.id)}/return`);
    toast(t("desk.ai_answers"));
    await refresh([ticket]);
  } catch (error) { toastError(error); }
}

/** A person answers from now on: the conversation is theirs. */
async function takeOver(/** @type {any} */ ticket) {
  await change([ticket], { set: { status: "in_progress" } }, t("desk.taken_over"));
  if (ticket.assigned_to !== myName()) await assignToMe();
}

/** What the person must know before going on: others who are here, changes of others, who answers a chat. */
function notes(/** @type {any} */ now) {
  const { others, conflict, conversation, ticket } = now;
  const replying = others.filter((/** @type {any} */ one) => one.state === "replying"), viewing = others.filter((/** @type {any} */ one) => one.state !== "replying");
  const list = (/** @type {any[]} */ people) => people.map((one) => actorName(one.name)).join(", ");
  const close = () => {
    opened.set({ conflict: null });
    /** @type {any} */ (document.querySelector(conflict.verb ? "#words" : ".subject-line"))?.focus();
  };
  return [
    h("div", { role: "status", class: "presence" }, replying.length ? h("p", { class: "notice amber" }, icon("pencil"), t("desk.is_replying", { n: replying.length, who: list(replying) }))
      : viewing.length ? h("p", { class: "soft small line" }, icon("eye"), t("desk.is_here", { n: viewing.length, who: list(viewing) })) : null),
    conflict ? h("div", { class: "notice red", role: "alert" }, icon("triangle-alert"), h("span", { class: "grow" }, conflict.text),
      button(conflict.verb ?? t("desk.keep_mine"), () => { close(); return conflict.keep(); }, { kind: "small-button" }), button(conflict.other ?? t("desk.take_theirs"), close, { kind: "small-button" })) : null,
    ticket?.merged_into ? h("p", { class: "notice" }, icon("git-merge"), h("a", { href: `/desk/tickets/${ticket.merged_into}` }, t("desk.is_merged"))) : null,
    conversation && ticket && isOpen(ticket) && mayWork() ? whoAnswers(now) : null,
  ];
}

/** Who answers a chat: the AI, somebody who is asked for, this person, or another one. */
function whoAnswers(/** @type {any} */ { ticket, conversation, replies }) {
  const person = conversation.escalation, mine = person && ticket.assigned_to === myName();
  const wrote = replies.some((/** @type {any} */ reply) => ["agent", "admin"].includes(reply.author_role) && !reply.internal);
  const other = ticket.assigned_to && !mine;
  const words = !person ? t("desk.ai_answers") : !wrote ? t("desk.person_asked") : other ? t("desk.other_answers", { who: agentName(ticket.assigned_to) }) : t("desk.person_answers");
  return h("p", { class: "notice" }, icon(person ? "user" : "sparkles"), h("span", { class: "grow" }, words),
    mine ? null : button(t("desk.take_over"), () => takeOver(ticket), { kind: "small-button", icon: "hand" }),
    person ? button(t("desk.return_to_ai"), () => returnToAi(ticket), { kind: "small-button", icon: "sparkles" }) : null);
}

function editSubject(/** @type {HTMLElement} */ heading, /** @type {any} */ ticket) {
  const input = h("input", { value: ticket.title, "aria-label": t("desk.subject"), maxlength: "200", class: "grow" });
  let ended = false;
  const end = (/** @type {boolean} */ keep) => {
    const title = input.value.trim();
    if (ended) return;
    ended = true;
    drawHeading(heading, opened.get());
    /** @type {any} */ (heading.querySelector("[data-act=subject]"))?.focus();
    if (keep && title && title !== ticket.title) setTitle(ticket, title);
  };
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    end(event.key === "Enter");
  });
  input.addEventListener("blur", () => end(true));
  heading.querySelector("h1")?.replaceChildren(input);
  input.select();
}

async function setTitle(/** @type {any} */ ticket, /** @type {string} */ title) {
  try {
    const changed = (await save(`/api/tickets/${ticket.id}`, { title, version: ticket.version })).data;
    toast(t("desk.subject_changed"), { undo: () => setTitle(changed, ticket.title) });
  } catch (error) {
    if (/** @type {any} */ (error).status !== 412) return toastError(error);
    await loadTicket(ticket.id, { quiet: true });
    const now = opened.get().ticket;
    if (now.title === ticket.title) return setTitle(now, title);
    opened.set({ conflict: { text: t("desk.conflict_field", { field: t("desk.subject"), before: ticket.title, now: now.title }), keep: () => setTitle(now, title) } });
  }
  return refresh([ticket]);
}

// @ts-check
/** What can be done to the tickets that are meant: the open one, the picked ones, or the row with the cursor. */

import { get, post, remove } from "../api.js";
import { h } from "../dom.js";
import { choose } from "../parts/choose.js";
import { button, field, showErrors } from "../parts/controls.js";
import { confirm, dialog } from "../parts/dialog.js";
import { toast, toastError } from "../parts/toast.js";
import { CATEGORIES, isSolved, PRIORITIES } from "../values.js";
import { moment, t, word } from "../words.js";
import { change, refresh } from "./changes.js";
import { agentName, customerOf, myName, names, teamName } from "./names.js";
import { backToQueue, openTicket } from "./places.js";
import { desk, opened, targets } from "./state.js";

const named = (/** @type {any[]} */ tickets) => (tickets.length === 1 ? `#${tickets[0].number}` : t("desk.n_tickets", { n: tickets.length }));
const titled = (/** @type {string} */ verb, /** @type {any[]} */ tickets) => `${verb} ${named(tickets)}`;

function assignTo(/** @type {string} */ agent, tickets = targets()) {
  const words = t("desk.assigned", { what: named(tickets), who: agentName(agent) });
  return change(tickets, { action: "assign", arguments: { agent_email: agent } }, words);
}
export const assignToMe = () => assignTo(myName());

export function pickAgent(tickets = targets()) {
  if (!tickets.length) return undefined;
  const { agents, teams } = names.get();
  const current = tickets.length === 1 ? tickets[0].assigned_to : "";
  const others = agents.filter((agent) => agent.key !== myName());
  return choose(titled(t("desk.assign"), tickets), [
    { words: t("desk.me"), about: myName(), keys: "i", checked: current === myName(), run: () => assignTo(myName(), tickets) },
    { words: t("desk.auto"), about: t("desk.auto_about"), run: () => change(tickets, { action: "assign", arguments: { auto: true } }, t("desk.assigned_auto", { what: named(tickets) })) },
    ...(current || tickets.length > 1 ? [{ words: t("desk.nobody"), run: () => change(tickets, { action: "unassign" }, t("desk.unassigned", { what: named(tickets) })) }] : []),
    ...others.map((agent) => ({ words: agent.label, about: agent.key === agent.label ? "" : agent.key, checked: current === agent.key, run: () => assignTo(agent.key, tickets) })),
    ...teams.map((team) => ({ words: t("desk.team", { name: team.label }), run: () => change(tickets, { set: { assigned_team: team.key } }, t("desk.assigned", { what: named(tickets), who: teamName(team.key) })) })),
  ]);
}

/** Chooses a value of a field and sets it. */
function pickWord(/** @type {string} */ name, /** @type {string[]} */ values, /** @type {any[]} */ tickets) {
  if (!tickets.length) return undefined;
  return choose(titled(word("field", name), tickets), values.map((value) => ({
    words: word(name, value), checked: tickets.every((ticket) => ticket[name] === value),
    run: () => change(tickets, { set: { [name]: value } }, t("desk.set_to", { what: named(tickets), field: word("field", name), value: word(name, value) })),
  })));
}

export const pickPriority = (tickets = targets()) => pickWord("priority", PRIORITIES, tickets);
export const pickCategory = (tickets = targets()) => pickWord("category", CATEGORIES, tickets);

export function pickStatus(tickets = targets()) {
  if (!tickets.length) return undefined;
  const set = (/** @type {string} */ status) => ({
    words: word("status", status), checked: tickets.every((ticket) => ticket.status === status),
    run: () => change(tickets, { set: { status } }, t("desk.set_to", { what: named(tickets), field: word("field", "status"), value: word("status", status) })),
  });
  const finished = tickets.every(isSolved);
  const reopening = { words: t("desk.reopen"), run: () => change(tickets, { action: "reopen" }, t("desk.reopened", { what: named(tickets) })) };
  return choose(titled(word("field", "status"), tickets), finished ? [reopening, set("closed")]
    : [...["new", "in_progress", "waiting_customer", "handoff"].map(set), { words: t("desk.resolve"), keys: "e", run: () => resolve(tickets) }]);
}

/** Asks for what the customer gets to read: in the composer for the open ticket, in a dialog for several. */
export function resolve(tickets = targets(), next = false) {
  if (!tickets.length) return;
  if (tickets.length === 1 && tickets[0].id === desk.get().ticketId) document.dispatchEvent(new CustomEvent("desk:compose", { detail: { mode: "resolve", next } }));
  else if (tickets.length === 1 && !desk.get().picked.size) {
    openTicket(tickets[0].id);
    document.dispatchEvent(new CustomEvent("desk:compose", { detail: { mode: "resolve", next } }));
  } else askText(titled(t("desk.resolve"), tickets), t("desk.resolution"), t("desk.resolve"), (text) => change(tickets, { action: "resolve", arguments: { resolution: text } }, t("desk.resolved", { what: named(tickets) })));
}

/** A dialog with one text. */
export function askText(/** @type {string} */ title, /** @type {string} */ label, /** @type {string} */ verb, /** @type {(text: string) => any} */ run, options = {}) {
  const text = field(label, { tag: "textarea", name: "text", required: true, ...options });
  const problem = h("p", { class: "wrong", role: "alert" });
  return dialog(title, (close) => h("form", {
    class: "stack",
    onsubmit: async (/** @type {Event} */ event) => {
      event.preventDefault();
      try { await run(text.input.value.trim()); close(); } catch (error) { problem.textContent = showErrors(error, { text }); }
    },
  }, text, problem, h("footer", { class: "line end" }, button(t("common.cancel"), close), button(verb, () => {}, { kind: "primary", type: "submit" }))));
}

export function editTags(tickets = targets()) {
  if (!tickets.length) return undefined;
  const one = tickets.length === 1;
  const words = (/** @type {string} */ text) => text.split(",").map((tag) => tag.trim()).filter(Boolean);
  return askText(titled(t("desk.tags"), tickets), one ? t("desk.tags_about") : t("desk.tags_add_about"), t("common.save"), (text) =>
    change(tickets, (ticket) => ({ set: { tags: one ? words(text) : [...new Set([...ticket.tags, ...words(text)])] } }), t("desk.tags_saved", { what: named(tickets) })),
  { tag: "input", value: one ? tickets[0].tags.join(", ") : "", required: !one, autocomplete: "off" });
}

/** The times that a ticket is put off to. @returns {[string, Date][]} */
function laterTimes() {
  const at = (/** @type {number} */ days, /** @type {number} */ hour) => { const time = new Date(); time.setDate(time.getDate() + days); time.setHours(hour, 0, 0, 0); return time; };
  const toMonday = (8 - new Date().getDay()) % 7 || 7;
  return [[t("desk.in_hours", { n: 1 }), new Date(Date.now() + 3600e3)], [t("desk.in_hours", { n: 4 }), new Date(Date.now() + 4 * 3600e3)],
    [t("desk.tomorrow"), at(1, 9)], [t("desk.monday"), at(toMonday, 9)], [t("desk.in_a_week"), at(7, 9)]];
}

export function snooze(tickets = targets()) {
  if (!tickets.length) return undefined;
  const until = (/** @type {Date} */ time) => change(tickets, { action: "snooze", arguments: { until: time.toISOString() } }, t("desk.snoozed", { what: named(tickets), time: moment(time.toISOString()) }));
  const own = () => askText(titled(t("desk.snooze"), tickets), t("desk.until"), t("desk.snooze"), (text) => until(new Date(text)), { tag: "input", type: "datetime-local" });
  const asleep = tickets.filter((ticket) => ticket.snoozed_until);
  return choose(titled(t("desk.snooze"), tickets), [
    ...(asleep.length ? [{ words: t("desk.wake"), run: () => change(asleep, { set: { clear: ["snoozed_until"] } }, t("desk.woken", { what: named(asleep) })) }] : []),
    ...laterTimes().map(([words, time]) => ({ words, about: moment(time.toISOString()), run: () => until(time) })),
    { words: t("desk.own_time"), run: own },
  ]);
}

/** Says that there are no macros, and leads whoever may make one to where they are made. */
export const noMacros = () => dialog(t("desk.macro"), (close) => [
  h("p", {}, t("desk.no_macros"), " ", h("a", { href: "/admin/macros" }, t("desk.make_macro"))),
  h("footer", {}, button(t("common.close"), close)),
]);

export function bulkMacro(tickets = targets()) {
  return get("/api/macros", { limit: 200 }).then(({ data }) => !data.length ? noMacros() : choose(titled(t("desk.macro"), tickets), data.map((/** @type {any} */ macro) => ({
    words: macro.name, about: macro.body.slice(0, 80), run: () => change(tickets, { action: "macro", arguments: { macro_id: macro.id } }, t("desk.macro_used", { what: named(tickets), name: macro.name })),
  }))), toastError);
}

/** Merges tickets of one customer: the picked ones into one of them, or the open one into another. */
export async function merge(tickets = targets()) {
  if (!tickets.length) return;
  let into = tickets;
  if (tickets.length === 1) {
    const who = tickets[0].customer_email ? { customer_email: tickets[0].customer_email } : { customer_id: tickets[0].customer_id };
    try { into = (await get("/api/tickets", { ...who, status: "open", limit: 20 })).data.filter((/** @type {any} */ other) => other.id !== tickets[0].id); } catch (error) { toastError(error); return; }
    if (!into.length) { toast(t("desk.nothing_to_merge", { who: customerOf(tickets[0]) })); return; }
  }
  await choose(titled(t("desk.merge"), tickets), into.map((target) => ({
    words: t("desk.merge_into", { number: String(target.number) }), about: target.title, run: () => mergeInto(tickets.filter((ticket) => ticket.id !== target.id), target),
  })));
}

async function mergeInto(/** @type {any[]} */ tickets, /** @type {any} */ target) {
  /** @type {any[]} */
  const done = [];
  try {
    for (const ticket of tickets) { await post(`/api/tickets/${ticket.id}/merge`, { into: target.id }); done.push(ticket); }
  } catch (error) { toastError(error); }
  const undo = async () => {
    try {
      for (const ticket of done) await post(`/api/tickets/${ticket.id}/unmerge`);
      toast(t("desk.undone"));
    } catch (error) { toastError(error); }
    await refresh([...done, target]);
  };
  if (done.length) toast(t("desk.merged", { what: named(done), number: String(target.number) }), { undo });
  if (done.some((ticket) => ticket.id === desk.get().ticketId)) openTicket(target.id);
  await refresh([...done, target]);
}

export async function deleteTicket() {
  const { ticket } = opened.get();
  if (!ticket || !await confirm(t("desk.delete_title", { number: String(ticket.number) }), t("desk.delete_about"), t("desk.delete"), `#${ticket.number}`)) return;
  try {
    await remove(`/api/tickets/${ticket.id}`);
    backToQueue();
    toast(t("desk.deleted", { number: String(ticket.number) }));
    await refresh();
  } catch (error) { toastError(error); }
}

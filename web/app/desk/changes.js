// @ts-check
/** Changes of one ticket or many. Each goes through POST /api/bulk/tickets, so that one undo serves all of them. */

import { get, post } from "../api.js";
import { askNow } from "../live.js";
import { toast, toastError } from "../parts/toast.js";
import { refusalWords, t, word } from "../words.js";
import { agentName, teamName } from "./names.js";
import { loadViews, reloadQueue } from "./queue.js";
import { desk, noteSeen, opened } from "./state.js";
import { loadTicket } from "./ticket_data.js";

/** @typedef {{set?: any, action?: string, arguments?: any}} Work */

/**
 * Does the work to the tickets and offers to undo it.
 * @param {any[]} tickets @param {Work|((ticket: any) => Work)} work Of one ticket each, where it differs.
 * @param {string} words What was done.
 * @returns {Promise<void>}
 */
export async function change(tickets, work, words) {
  if (!tickets.length) return;
  try {
    const results = [];
    for (const [body, some] of alike(tickets, work)) {
      const which = some.length === 1 ? { items: some.map(({ id, version }) => ({ id, version })) } : { ids: some.map(({ id }) => id) };
      results.push(...(await post("/api/bulk/tickets", { ...which, ...body })).data);
      const stale = some.length === 1 && results.at(-1).code === "stale_version";
      if (stale && tickets.length === 1) return await solve(some[0], body, words);
    }
    takeResults(results);
    say(results, words);
  } catch (error) {
    toastError(error);
  }
  await refresh(tickets);
}

/** Groups tickets that get the same, so that each kind is one call. @returns {[Work, any[]][]} */
function alike(/** @type {any[]} */ tickets, /** @type {any} */ work) {
  if (typeof work !== "function") return [[work, tickets]];
  /** @type {Map<string, [Work, any[]]>} */
  const groups = new Map();
  for (const ticket of tickets) {
    const body = work(ticket), key = JSON.stringify(body);
    if (!groups.has(key)) groups.set(key, [body, []]);
    groups.get(key)?.[1].push(ticket);
  }
  return [...groups.values()];
}

/** Why one ticket was not changed, in the language of the page where it is known. */
const reasonOf = (/** @type {any} */ { code, message }) => refusalWords(code) || message;

function say(/** @type {any[]} */ results, /** @type {string} */ words) {
  const bad = results.filter((result) => !result.success);
  if (bad.length === results.length) return toast(reasonOf(bad[0]));
  const ids = [...new Set(results.filter((result) => result.success).map((result) => result.bulk_id))];
  return toast(bad.length ? `${words} ${t("desk.some_failed", { n: bad.length, why: reasonOf(bad[0]) })}` : words, { undo: () => undo(ids) });
}

async function undo(/** @type {string[]} */ ids) {
  const results = [];
  try {
    for (const id of ids) results.push(...(await post("/api/bulk/undo", { bulk_id: id })).data);
    takeResults(results);
    const bad = results.filter((result) => !result.success);
    toast(bad.length ? reasonOf(bad[0]) : t("desk.undone"));
  } catch (error) { toastError(error); }
  await refresh(results);
}

/** Shows what became of the tickets at once. Which rows the queue has then, and in what order, only the server knows. */
function takeResults(/** @type {any[]} */ results) {
  const changed = new Map(results.filter((result) => result.ticket).map((result) => [result.ticket.id, result.ticket]));
  const { ticket } = opened.get();
  desk.set({ rows: desk.get().rows.map((row) => changed.get(row.id) ?? row) });
  if (ticket && changed.has(ticket.id)) opened.set({ ticket: changed.get(ticket.id) });
}

/** Loads again what a change touched. */
export async function refresh(/** @type {any[]} */ tickets = []) {
  const { ticketId } = desk.get();
  askNow();
  const changed = new Set(tickets.map((ticket) => ticket.id));
  const rows = async () => {
    await reloadQueue();
    // What somebody changed themselves is no news to them.
    for (const row of desk.get().rows) if (changed.has(row.id)) noteSeen(row);
    desk.set({ rows: [...desk.get().rows] });
  };
  await Promise.all([rows(), loadViews(), ticketId && tickets.some((ticket) => ticket.id === ticketId) ? loadTicket(ticketId, { quiet: true }) : null]);
}

/**
 * Somebody changed the ticket meanwhile. If it was something else, the change is made all the same;
 * if it was the same field, both values are shown, and the person decides.
 */
async function solve(/** @type {any} */ before, /** @type {Work} */ body, /** @type {string} */ words) {
  const now = (await get(`/api/tickets/${before.id}`)).data;
  const fields = body.set ? Object.keys(body.set) : body.action === "assign" ? ["assigned_to"] : [];
  const both = fields.filter((name) => JSON.stringify(now[name]) !== JSON.stringify(before[name]) && JSON.stringify(now[name]) !== JSON.stringify(body.set?.[name]));
  if (!both.length || desk.get().ticketId !== before.id) return change([now], body, words);
  await loadTicket(before.id, { quiet: true });
  opened.set({
    conflict: {
      text: both.map((name) => t("desk.conflict_field", { field: fieldName(name), before: shownValue(name, before[name]), now: shownValue(name, now[name]) })).join(" "),
      keep: () => change([now], body, words),
    },
  });
  return undefined;
}

export const fieldName = (/** @type {string} */ name) => word("field", name);

/** The value of a field in words. */
export function shownValue(/** @type {string} */ name, /** @type {any} */ value) {
  if (Array.isArray(value)) return value.join(", ") || t("desk.nothing");
  if (!value) return t("desk.nothing");
  if (name === "assigned_to") return agentName(value);
  if (name === "assigned_team") return teamName(value);
  return ["status", "priority", "category", "sentiment"].includes(name) ? word(name, String(value)) : String(value);
}

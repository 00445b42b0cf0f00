// @ts-check
/** What the desk knows: the queue that is shown, and the ticket that is open. */

import { forgetting, session } from "../session.js";
import { kept, preferences, store } from "../state.js";

/** `rows` are the tickets of the queue in its order; `fresh` are new ones that wait to be shown; `picked` are ids with a check. */
export const desk = store({
  view: "",
  query: /** @type {Record<string, string>} */ ({}),
  ticketId: "",
  views: /** @type {any[]} */ ([]),
  rows: /** @type {any[]} */ ([]),
  total: 0,
  fresh: /** @type {any[]} */ ([]),
  loading: true,
  failure: /** @type {any} */ (null),
  picked: /** @type {Set<string>} */ (new Set()),
  cursor: "",
});

/** The open ticket. `conflict` says what somebody else changed meanwhile; `others` are the people who are at it; `loaded` says that its thread is here. */
export const opened = store({
  ticket: /** @type {any} */ (null),
  loaded: false,
  replies: /** @type {any[]} */ ([]),
  history: /** @type {any[]} */ ([]),
  files: /** @type {any[]} */ ([]),
  conversation: /** @type {any} */ (null),
  failure: /** @type {any} */ (null),
  others: /** @type {any[]} */ ([]),
  conflict: /** @type {any} */ (null),
});

/** @type {(() => void)[]} */
let endings = [];
/** Ends with the page, which is built anew after somebody signs in again. */
export const lasting = (/** @type {() => void} */ end) => { endings.push(end); };
export function endAll() {
  for (const end of endings) end();
  endings = [];
}

/** The tickets that an action is for: the picked ones, else the open one, else the row with the cursor. */
export function targets() {
  const { picked, rows, cursor, ticketId } = desk.get();
  if (picked.size) return rows.filter((row) => picked.has(row.id));
  const { ticket } = opened.get();
  if (ticketId) return ticket?.id === ticketId ? [ticket] : [];
  return rows.filter((row) => row.id === cursor);
}

/** The next ticket of the queue after one, or before it; undefined at the end. */
export function neighbour(/** @type {string} */ id, /** @type {number} */ step) {
  const { rows } = desk.get();
  const at = rows.findIndex((row) => row.id === id);
  return at < 0 ? rows[0] : rows[at + step];
}

/* What this person has seen on this device: the time of the last change when a ticket was open. */
const MOST_SEEN = 500;
const seen = new Map(/** @type {[string, string][]} */ (readSeen()));
if (!preferences.get("desk.since")) preferences.set("desk.since", new Date().toISOString());
const since = preferences.get("desk.since", new Date().toISOString());

function readSeen() {
  try { return JSON.parse(preferences.get("desk.seen", "[]")); } catch { return []; }
}

export const seenAt = (/** @type {string} */ id) => seen.get(id) ?? since;
export const isUnread = (/** @type {any} */ ticket) => ticket.updated_at > seenAt(ticket.id);

export function noteSeen(/** @type {any} */ ticket) {
  if (ticket.updated_at <= (seen.get(ticket.id) ?? "")) return;
  seen.delete(ticket.id);
  seen.set(ticket.id, ticket.updated_at);
  preferences.set("desk.seen", JSON.stringify([...seen].slice(-MOST_SEEN)));
}

const MOST_RECENT = 5;

/** The tickets that were opened last in this tab, the newest first. @returns {{id: string, number: number, title: string}[]} */
export function recentTickets() {
  try { return JSON.parse(kept.get("recent_tickets", "[]")); } catch { return []; }
}

export function noteRecent(/** @type {any} */ { id, number, title }) {
  const others = recentTickets().filter((one) => one.id !== id);
  kept.set("recent_tickets", JSON.stringify([{ id, number, title }, ...others].slice(0, MOST_RECENT + 1)));
}

/** Files that are chosen for a ticket and not sent. They last as long as the page. @type {Map<string, import("../parts/files.js").Chosen[]>} */
const draftFiles = new Map();
forgetting.add(() => draftFiles.clear());

export const filesOfDraft = (/** @type {string} */ id) => draftFiles.get(id) ?? [];

/** Keeps files with the draft of a ticket. Their names outlast a reload, which they themselves do not. */
export function keepFiles(/** @type {string} */ id, /** @type {import("../parts/files.js").Chosen[]} */ files) {
  if (!files.length && !draftFiles.has(id)) return;
  draftFiles.set(id, files);
  kept.set(`draft.${id}.files`, files.map(({ file }) => file.name).join(", "));
}

/** Names of files that were chosen for a ticket before the page was loaded anew, "" for none. */
export const lostFiles = (/** @type {string} */ id) => (draftFiles.has(id) ? "" : kept.get(`draft.${id}.files`));
export const forgetLostFiles = (/** @type {string} */ id) => kept.set(`draft.${id}.files`, "");

/** A text that is not sent yet. @returns {{mode: string, body: string}} */
export function draftOf(/** @type {string} */ id) {
  try { return { mode: "reply", body: "", ...JSON.parse(kept.get(`draft.${id}`, "{}")) }; } catch { return { mode: "reply", body: "" }; }
}

/** Keeps a text in this tab; not of somebody who signed out. One whose session ended may go on. */
export function keepDraft(/** @type {string} */ id, /** @type {{mode: string, body: string}} */ draft) {
  const { me, ended } = session.get();
  if (me || ended) kept.set(`draft.${id}`, draft.body.trim() ? JSON.stringify(draft) : "");
}

// @ts-check
/** Loads the open ticket with its thread, history and files. The last call wins. */

import { get, getAll } from "../api.js";
import { may } from "../session.js";
import { desk, noteRecent, noteSeen, opened } from "./state.js";

let turn = 0;
const EMPTY = { ticket: null, loaded: false, replies: [], history: [], files: [], conversation: null, failure: null, others: [], conflict: null };

/** @param {string} id @param {{quiet?: boolean}} [options] `quiet` keeps what is shown until the new state is there. */
export async function loadTicket(id, { quiet = false } = {}) {
  const mine = turn += 1;
  const row = desk.get().rows.find((one) => one.id === id);
  if (!quiet) opened.set({ ...EMPTY, ticket: row ?? null });
  try {
    const path = `/api/tickets/${encodeURIComponent(id)}`;
    const [ticket, replies, history, files] = await Promise.all([get(path), getAll(`${path}/replies`), may("history.read") ? get(`${path}/history`) : { data: [] },
      getAll(`${path}/attachments`)]);
    const conversation = ticket.data.source === "chat" ? (await get(`/api/chat/${encodeURIComponent(id)}`)).data : null;
    if (mine !== turn) return;
    opened.set({ ticket: ticket.data, loaded: true, replies, history: history.data, files, conversation, failure: null });
    noteSeen(ticket.data);
    noteRecent(ticket.data);
    const { rows } = desk.get();
    if (rows.some((one) => one.id === id)) desk.set({ rows: rows.map((one) => (one.id === id ? { ...one, ...ticket.data } : one)) });
  } catch (error) {
    if (mine === turn && !quiet) opened.set({ failure: error });
  }
}

export function closeTicket() {
  turn += 1;
  opened.set(EMPTY);
}

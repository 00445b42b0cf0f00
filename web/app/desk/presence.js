// @ts-check
/** Says that somebody is at the open ticket, and shows who else is. */

import { put } from "../api.js";
import { mayWork, session } from "../session.js";
import { myLabel, myName, namesLoaded } from "./names.js";
import { desk, lasting, opened } from "./state.js";

const EVERY = 12_000;
let state = "viewing";

/** What the person does: viewing or replying. */
export function say(/** @type {string} */ what) {
  if (what === state) return;
  state = what;
  tell();
}

async function tell() {
  const { ticketId } = desk.get();
  if (!ticketId || document.hidden || !mayWork()) return;
  try {
    await namesLoaded;
    const { data } = await put(`/api/tickets/${encodeURIComponent(ticketId)}/presence`, { state });
    if (ticketId !== desk.get().ticketId) return;
    const mine = [myName(), myLabel(), session.get().me?.name];
    const others = data.filter((/** @type {any} */ one) => !mine.includes(one.name));
    if (JSON.stringify(others) !== JSON.stringify(opened.get().others)) opened.set({ others });
  } catch { /* The next one says it. */ }
}

export function startPresence() {
  const timer = setInterval(tell, EVERY);
  lasting(() => clearInterval(timer));
  // Only a ticket that is there: one that does not exist would be refused.
  lasting(opened.subscribe(({ ticket }, before) => { if (ticket && ticket.id !== before.ticket?.id) { state = "viewing"; tell(); } }));
}

// @ts-check
/** News of the company by polling GET /api/events. Of several tabs one asks, and tells the others. */

import { ApiError, get } from "./api.js";
import { session } from "./session.js";

// The server keeps pages of up to 50 events in memory, so that a poll without news costs next to nothing.
const PAGE = 50;
const BUSY = 2_000, IDLE = 10_000, HIDDEN = 60_000, SLEEP_AFTER = 30 * 60_000;
const channel = new BroadcastChannel("foyer.events");
/** @type {Set<(events: any[]) => void>} */
const listeners = new Set();
let after = "", etag = "", timer = 0, lastUse = Date.now(), hiddenSince = 0, leader = false, started = false;

/** Calls with each batch of events. Returns what ends it. */
export function onEvents(/** @type {(events: any[]) => void} */ listener) {
  listeners.add(listener);
  if (!started) start();
  return () => { listeners.delete(listener); };
}

/** Asks for news at once, after the person changed something. */
export function askNow() {
  lastUse = Date.now();
  if (leader) schedule(0);
  else channel.postMessage({ ask: true });
}

function start() {
  started = true;
  after = new Date().toISOString();
  for (const name of ["pointerdown", "keydown"]) addEventListener(name, () => { lastUse = Date.now(); }, { passive: true });
  document.addEventListener("visibilitychange", () => {
    hiddenSince = document.hidden ? Date.now() : 0;
    if (leader && !document.hidden) schedule(0);
  });
  channel.addEventListener("message", ({ data }) => {
    // Another person may be signed in in another tab; their events are not for this one.
    if (data.ask && leader) schedule(0);
    if (data.events && data.owner === owner()) tell(data.events);
  });
  const lead = () => { leader = true; schedule(0); return new Promise(() => {}); };
  if (navigator.locks) navigator.locks.request(`foyer.events.${owner()}`, lead);
  else lead();
}

function owner() {
  const me = session.get().me;
  return me ? `${me.company?.id}/${me.role}/${me.email || me.customer_id || me.name}` : "";
}

function pause() {
  if (document.hidden) return HIDDEN;
  return Date.now() - lastUse < 60_000 ? BUSY : IDLE;
}

function schedule(/** @type {number} */ wait) {
  clearTimeout(timer);
  timer = window.setTimeout(poll, wait);
}

async function poll() {
  if (!session.get().me) return schedule(IDLE);
  if (hiddenSince && Date.now() - hiddenSince > SLEEP_AFTER) return undefined;
  try {
    const answer = await get("/api/events", { after, limit: PAGE }, { headers: etag ? { "If-None-Match": etag } : {} });
    etag = answer.etag;
    if (!answer.unchanged && answer.data.length) {
      after = answer.data.at(-1).id;
      tell(answer.data);
      channel.postMessage({ events: answer.data, owner: owner() });
      if (answer.data.length === PAGE) return schedule(0);
    }
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) after = new Date().toISOString();
  }
  return schedule(pause());
}

function tell(/** @type {any[]} */ events) {
  for (const listener of [...listeners]) listener(events);
}

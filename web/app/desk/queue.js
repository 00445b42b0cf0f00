// @ts-check
/** Loads the queue and keeps it up to date. New tickets wait until somebody asks for them, so that nothing moves by itself. */

import { ApiError, get } from "../api.js";
import { later } from "../dom.js";
import { desk } from "./state.js";

export const PAGE = 50;
const MOST_AT_ONCE = 200;
let turn = 0;

export const SORTS = ["due", "waiting", "-created_at", "urgency", "-updated_at"];

/** What GET /api/tickets takes for the queue that is shown. */
export function asked() {
  const { view, query } = desk.get();
  return { view, ...query };
}

/** Loads the first page anew, in place of what is shown. */
export async function loadQueue() {
  desk.set({ loading: true, failure: null, rows: [], fresh: [], total: 0, picked: new Set() });
  await fetchRows(PAGE);
}

/** Loads again as many rows as are shown, after the person changed something. */
export async function reloadQueue() {
  if (!desk.get().loading) await fetchRows(Math.min(MOST_AT_ONCE, Math.max(PAGE, desk.get().rows.length)));
}

async function fetchRows(/** @type {number} */ limit) {
  const mine = turn += 1;
  try {
    const { data, total } = await get("/api/tickets", { ...asked(), limit });
    if (mine !== turn) return;
    const ids = new Set(data.map((/** @type {any} */ row) => row.id));
    const picked = new Set([...desk.get().picked].filter((id) => ids.has(id)));
    desk.set({ rows: data, total, loading: false, failure: null, fresh: [], picked });
  } catch (error) {
    if (mine === turn) failed(error);
  }
}

function failed(/** @type {any} */ error) {
  // Rows that are shown already stay while the network is gone: the bar at the top says that they may be old.
  const keeps = error instanceof ApiError && error.status === 0 && desk.get().rows.length;
  desk.set({ loading: false, failure: keeps ? null : error });
}

/** Adds the next page at the end. */
export async function loadMore() {
  const { rows } = desk.get();
  const { data, total } = await get("/api/tickets", { ...asked(), limit: PAGE, offset: rows.length });
  const known = new Set(rows.map((row) => row.id));
  desk.set({ rows: [...rows, ...data.filter((/** @type {any} */ row) => !known.has(row.id))], total });
}

/** Shows the tickets that came in meanwhile. */
export async function showFresh() {
  await reloadQueue();
  document.querySelector(".queue")?.scrollTo({ top: 0 });
}

const lookForNew = later(async () => {
  const mine = turn;
  try {
    const { data, total } = await get("/api/tickets", { ...asked(), limit: PAGE });
    if (mine !== turn) return;
    const known = new Set(desk.get().rows.map((row) => row.id));
    desk.set({ fresh: data.filter((/** @type {any} */ row) => !known.has(row.id)), total });
  } catch { /* The next event asks again. */ }
}, 1_000);

/** Takes what happened: rows that are shown change in place, others wait as new. */
export function takeEvents(/** @type {any[]} */ events) {
  const latest = new Map(events.filter((event) => event.ticket?.id).map((event) => [event.ticket.id, event.ticket]));
  if (!latest.size) return;
  const { rows } = desk.get();
  const known = new Set(rows.map((row) => row.id));
  if (rows.some((row) => latest.has(row.id))) desk.set({ rows: rows.map((row) => latest.get(row.id) ?? row) });
  if ([...latest.keys()].some((id) => !known.has(id))) lookForNew();
  loadCountsLater();
}

/** Loads the views with their counts: one call for all of them. */
export async function loadViews() {
  try { desk.set({ views: (await get("/api/views", { standard: "true" })).data }); } catch { /* The list says what is wrong. */ }
}
const loadCountsLater = later(loadViews, 2_500);

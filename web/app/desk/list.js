// @ts-check
/** The queue: its heading, filters, rows, and what stands below them. */

import { post } from "../api.js";
import { fill, h, later, updateList } from "../dom.js";
import { button } from "../parts/controls.js";
import { empty, failed, skeleton } from "../parts/states.js";
import { toast, toastError } from "../parts/toast.js";
import { may } from "../session.js";
import { number, t } from "../words.js";
import { bulkBar } from "./bulk.js";
import { filterChips, filterMenu, saveView, sortMenu } from "./filters.js";
import { names } from "./names.js";
import { newTicket } from "./new_ticket.js";
import { filterBy, openQueue } from "./places.js";
import { loadMore, loadQueue, loadViews, showFresh } from "./queue.js";
import { queueRow, rowVersion } from "./row.js";
import { desk, lasting } from "./state.js";
import { viewName } from "./views.js";

/** @returns {HTMLElement} */
export function listPane() {
  const heading = h("div", { class: "list-heading line" });
  const search = h("input", { type: "search", class: "search", "aria-label": t("desk.search"), placeholder: t("desk.search_hint"), enterkeyhint: "search" });
  // The first words make a step for the back button, which leads to the whole list again.
  const seek = (/** @type {string} */ words) => { if (words !== (desk.get().query.q ?? "")) filterBy({ q: words }, { replace: Boolean(desk.get().query.q) }); };
  const find = later(() => seek(search.value.trim()), 300);
  let toRows = false;
  search.addEventListener("input", () => find());
  search.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && !search.value) { event.preventDefault(); focusRow(); }
    if (event.key !== "Enter" && event.key !== "ArrowDown") return;
    event.preventDefault();
    seek(search.value.trim());
    toRows = desk.get().loading;
    if (!toRows) focusRow();
  });
  const chips = h("div", { class: "line filter-chips" });
  const news = h("div", { role: "status", class: "fresh" });
  const rows = h("ol", { class: "rows" });
  const rest = h("div", { class: "rest" });
  const bulk = h("div", { class: "bulk-place" });
  const element = h("section", { class: "list-pane", "aria-label": t("desk.queue") },
    h("header", { class: "list-header" }, heading,
      h("div", { class: "line tools" }, h("div", { class: "grow" }, search), filterMenu(), sortMenu()), chips, bulk),
    h("div", { class: "queue", tabindex: "-1" }, news, rows, rest));

  rows.addEventListener("focusin", (/** @type {any} */ event) => {
    const id = event.target.closest("li")?.dataset.key;
    if (id) desk.set({ cursor: id });
  });

  lasting(desk.subscribe((now, before) => {
    // While somebody types, only the back button changes the words.
    const left = now.query !== before.query && search.value.trim() === (before.query.q ?? "");
    if (document.activeElement !== search || left) search.value = now.query.q ?? "";
    if (now === before || now.total !== before.total || now.view !== before.view || now.views !== before.views || now.ticketId !== before.ticketId
      || now.query !== before.query) fill(heading, title(now));
    if (now === before || now.query !== before.query || now.view !== before.view) fill(chips, filterChips());
    if (now === before || now.fresh !== before.fresh) {
      fill(news, now.fresh.length ? button(t("desk.new_rows", { n: now.fresh.length }), () => { showFresh(); }, { icon: "refresh-cw", kind: "quiet" }) : null);
    }
    element.setAttribute("aria-busy", String(now.loading));
    if (now === before || now.rows !== before.rows || now.ticketId !== before.ticketId) drawRows(rows);
    if (now === before || now.loading !== before.loading || now.rows !== before.rows || now.failure !== before.failure || now.total !== before.total) fill(rest, below(now));
    if (now === before || now.picked !== before.picked) fill(bulk, now.picked.size ? bulkBar() : null);
    mark(rows, now);
    if (toRows && !now.loading) {
      toRows = false;
      if (document.activeElement === search) focusRow();
    }
  }));
  lasting(names.subscribe(() => drawRows(rows)));
  const tick = setInterval(() => drawRows(rows), 60_000);
  lasting(() => clearInterval(tick));
  return element;
}

function title(/** @type {any} */ { view, total, ticketId, loading, query }) {
  const words = [viewName(view), loading ? null : h("span", { class: "soft count" }, ` ${number(total)}`)];
  const saved = Object.keys(query).some((name) => name !== "sort");
  return [h(ticketId ? "h2" : "h1", { class: "view-name grow cut" }, words), saved ? button(t("desk.save_view"), saveView, { icon: "bookmark", kind: "quiet small-button" }) : null];
}

function drawRows(/** @type {HTMLElement} */ rows) {
  updateList(rows, desk.get().rows, (ticket) => ticket.id, (ticket) => queueRow(ticket, { pick }), rowVersion);
  mark(rows, desk.get());
}

/** Shows which rows are picked, open, and where the keyboard is. */
function mark(/** @type {HTMLElement} */ rows, /** @type {any} */ { picked, ticketId, cursor }) {
  rows.classList.toggle("picking", picked.size > 0);
  for (const row of /** @type {any} */ (rows.children)) {
    const id = row.dataset.key, link = row.querySelector("a");
    row.classList.toggle("current", id === (ticketId || cursor));
    row.classList.toggle("picked", picked.has(id));
    row.querySelector("input").checked = picked.has(id);
    if (id === ticketId) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function below(/** @type {any} */ { loading, failure, rows, total, query, view }) {
  if (failure) return failed(failure, loadQueue);
  if (loading) return skeleton(8, "rows-skeleton");
  if (rows.length) return rows.length < total ? button(t("desk.more", { n: total - rows.length }), () => loadMore().catch(toastError), { kind: "quiet more" }) : null;
  const filters = Object.keys(query).filter((name) => name !== "sort");
  if (filters.length) return empty(t("desk.nothing_matches"), filterChips(), button(t("desk.clear_filters"), () => openQueue(view)), "funnel");
  if (view !== "open") return empty(t("desk.all_done"), "", null, "check-check");
  return empty(t("desk.nothing_yet"), t("desk.nothing_yet_about"), h("div", { class: "line" }, button(t("desk.new_ticket"), () => { newTicket(); }, { icon: "plus" }), may("import") ? button(t("desk.seed"), seed, { icon: "play" }) : null));
}

async function seed() {
  try {
    await post("/api/demo");
    toast(t("desk.seeded"));
    await Promise.all([loadQueue(), loadViews()]);
  } catch (error) { toastError(error); }
}

let last = "";

/** Checks a row, or all rows from the one that was checked last. */
export function pick(/** @type {string} */ id, range = false) {
  const { picked, rows } = desk.get();
  const next = new Set(picked);
  const from = rows.findIndex((row) => row.id === last), to = rows.findIndex((row) => row.id === id);
  if (range && from >= 0 && to >= 0) for (const row of rows.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(row.id);
  else if (next.has(id)) next.delete(id);
  else next.add(id);
  last = id;
  desk.set({ picked: next });
}

const linkOf = (/** @type {string} */ id) => /** @type {HTMLElement|null} */ (document.querySelector(`.rows > [data-key="${CSS.escape(id)}"] > a`));

/** Puts the focus on a row: the named one, the one where the keyboard was, or the first. */
export function focusRow(id = desk.get().cursor) {
  const row = linkOf(id) ?? /** @type {HTMLElement|null} */ (document.querySelector(".rows > li > a"));
  row?.focus();
  row?.scrollIntoView({ block: "nearest" });
}

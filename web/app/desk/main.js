// @ts-check
/** The agent desk: views, queue, ticket and side bar on one page. The address says what is shown. */

import "./words.js";
import { get, signOut } from "../api.js";
import { h } from "../dom.js";
import { useKeys } from "../keys.js";
import { onEvents } from "../live.js";
import { button } from "../parts/controls.js";
import { menu } from "../parts/dialog.js";
import { accountItem, languageItems, startPage, themeItems } from "../parts/frame.js";
import { offlineBar } from "../parts/states.js";
import { toastError } from "../parts/toast.js";
import { announce, go, startRouting } from "../route.js";
import { mayWork, session } from "../session.js";
import { preferences } from "../state.js";
import { t } from "../words.js";
import { commands, focusSearch } from "./commands.js";
import { divider } from "./divider.js";
import { focusRow, listPane } from "./list.js";
import { applyDensity, menuOfMe } from "./menu_of_me.js";
import { loadNames } from "./names.js";
import { newTicket } from "./new_ticket.js";
import { notifyOf } from "./notify.js";
import { startOutbox } from "./outbox.js";
import { panel } from "./panel.js";
import { here, openQueue, ticketAddress } from "./places.js";
import { startPresence } from "./presence.js";
import { loadQueue, loadViews, takeEvents } from "./queue.js";
import { desk, endAll, lasting, opened } from "./state.js";
import { closeTicket, loadTicket } from "./ticket_data.js";
import { ticketPane } from "./ticket_pane.js";
import { side, viewName } from "./views.js";

let outboxStarted = false;

startPage({ title: t("frame.desk"), allowed: mayWork, show });

function show(/** @type {HTMLElement} */ root) {
  endAll();
  applyDensity();
  desk.set({ view: "", query: {}, ticketId: "", views: [], rows: [], fresh: [], total: 0, loading: true, failure: null, picked: new Set(), cursor: "" });
  closeTicket();
  const area = h("main", { id: "main", tabindex: "-1" }, listPane(), ticketPane());
  area.firstElementChild.after(divider(area));
  const page = h("div", { class: `desk ${preferences.get("desk.panel") === "closed" ? "panel-closed" : ""}` },
    h("a", { class: "skip", href: "#main" }, t("frame.skip")), side(),
    area, panel(), bottomBar());
  root.replaceChildren(offlineBar(), page);
  lasting(opened.subscribe(({ ticket }) => { if (ticket && ticket.id === desk.get().ticketId) announce(`#${ticket.number} ${ticket.title}`, false); }));
  lasting(onEvents(onNews));
  startPresence();
  useKeys(commands());
  startRouting("/desk", (place) => onPlace(page, place));
  loadViews();
  loadNames().catch(toastError);
  if (!outboxStarted) startOutbox();
  outboxStarted = true;
}

function onPlace(/** @type {HTMLElement} */ page, /** @type {import("../route.js").Place} */ place) {
  const { view, ticketId, query } = here(place);
  if (/^\d+$/.test(ticketId)) { openByNumber(ticketId); return; }
  const before = desk.get();
  const other = view !== before.view || JSON.stringify(query) !== JSON.stringify(before.query);
  desk.set({ view, ticketId, query: other ? query : before.query, ...(ticketId ? { cursor: ticketId } : {}) });
  page.classList.toggle("shows-ticket", Boolean(ticketId));
  page.classList.remove("panel-open");
  if (other) loadQueue();
  if (!ticketId) {
    if (before.ticketId || !opened.get().ticket) closeTicket();
    announce(viewName(view), false);
    // Back from a ticket, the focus is on its row again.
    if (before.ticketId) requestAnimationFrame(() => focusRow(before.ticketId));
  } else if (ticketId !== before.ticketId) {
    loadTicket(ticketId);
    requestAnimationFrame(() => { if (!page.contains(document.activeElement) || document.activeElement?.closest(".rows, .panel, .ticket-pane h1")) /** @type {any} */ (page.querySelector(".subject-line"))?.focus({ preventScroll: true }); });
  }
}

/** /desk/tickets/7 is the ticket with the number 7. */
async function openByNumber(/** @type {string} */ number) {
  try {
    const { data } = await get("/api/tickets", { number });
    if (data.length) go(ticketAddress(data[0].id), { replace: true });
    else openQueue("open", { q: `#${number}` });
  } catch (error) { toastError(error); }
}

function onNews(/** @type {any[]} */ events) {
  takeEvents(events);
  notifyOf(events);
  const { ticketId } = desk.get();
  if (ticketId && events.some((event) => event.ticket_id === ticketId)) loadTicket(ticketId, { quiet: true });
}

/** On a phone: four ways at the bottom. */
function bottomBar() {
  const me = button(t("desk.me"), () => menu(me, [...menuOfMe(), ...accountItem(), ...themeItems(), ...languageItems(),
    { words: t("frame.sign_out"), run: signOut }]), { icon: "user", kind: "quiet", title: session.get().me.email || session.get().me.name });
  const views = button(t("desk.queue_short"), () => menu(views, desk.get().views.map((view) => ({
    words: `${viewName(view.id)} ${view.count ?? ""}`, checked: view.id === desk.get().view, run: () => openQueue(view.id),
  }))), { icon: "inbox", kind: "quiet" });
  return h("nav", { class: "bottom", "aria-label": t("frame.pages") }, views,
    button(t("desk.search"), focusSearch, { icon: "search", kind: "quiet" }), button(t("desk.new_ticket_short"), () => { newTicket(); }, { icon: "plus", kind: "quiet" }), me);
}

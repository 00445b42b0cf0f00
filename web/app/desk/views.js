// @ts-check
/** The side of the desk: views with their counts, and the ways to the other pages. */

import { fill, h } from "../dom.js";
import { button } from "../parts/controls.js";
import { confirm, menu } from "../parts/dialog.js";
import { whoAmI } from "../parts/frame.js";
import { icon } from "../parts/icon.js";
import { toast, toastError } from "../parts/toast.js";
import { patch as change, remove } from "../api.js";
import { may, session } from "../session.js";
import { number, t } from "../words.js";
import { newTicket } from "./new_ticket.js";
import { menuOfMe } from "./menu_of_me.js";
import { openPalette } from "./palette.js";
import { openQueue, queueAddress } from "./places.js";
import { loadViews } from "./queue.js";
import { desk, lasting } from "./state.js";

export const STANDARD = /** @type {[string, string][]} */ ([
  ["mine", "user"], ["unassigned", "inbox"], ["open", "layers"], ["handoff", "hand"], ["due", "clock"], ["snoozed", "alarm-clock"], ["resolved", "circle-check"],
]);

export const viewName = (/** @type {string} */ id) =>
  (STANDARD.some(([one]) => one === id) ? t(`desk.view_${id}`) : desk.get().views.find((view) => view.id === id)?.name ?? t("desk.queue"));

/** @returns {HTMLElement} */
export function side() {
  const views = h("ul", { class: "views" });
  lasting(desk.subscribe((now, before) => {
    if (now === before || now.views !== before.views || now.view !== before.view) fill(views, links(now));
  }));
  return h("nav", { class: "side", "aria-label": t("desk.views") },
    h("a", { class: "brand", href: "/", title: "Foyer" }, h("img", { src: "/assets/icon.svg", alt: "" }), h("span", { class: "wide-only" }, "Foyer")),
    h("div", { class: "side-buttons" },
      sideButton("plus", t("desk.new_ticket"), () => { newTicket(); }, "c"),
      sideButton("search", t("desk.palette"), () => { openPalette(); }, "Mod+K")),
    views,
    h("ul", { class: "views others" },
      may("stats.read") ? h("li", {}, sideLink("/admin", "chart-column", t("desk.dashboard"))) : null,
      may("knowledge.write") ? h("li", {}, sideLink("/admin/knowledge", "book-open", t("desk.knowledge"))) : null,
      may("settings.write") ? h("li", {}, sideLink("/admin/settings", "settings", t("desk.settings"))) : null),
    whoAmI(menuOfMe()));
}

function links(/** @type {any} */ { view: current, views }) {
  const known = new Map(views.map((/** @type {any} */ view) => [view.id, view]));
  const saved = views.filter((/** @type {any} */ view) => !view.standard);
  return [
    STANDARD.map(([id, sign]) => h("li", {}, viewLink(id, sign, t(`desk.view_${id}`), /** @type {any} */ (known.get(id))?.count, current === id))),
    saved.length ? h("li", { class: "views-title soft small" }, t("desk.saved_views")) : null,
    saved.map((/** @type {any} */ view) => h("li", { class: "saved" }, viewLink(view.id, "bookmark", view.name, view.count, current === view.id),
      view.own || session.get().me?.role === "admin" ? savedMenu(view) : null)),
  ];
}

const viewLink = (/** @type {string} */ id, /** @type {string} */ sign, /** @type {string} */ words, /** @type {number|undefined} */ count, current = false) =>
  h("a", { class: "view", href: queueAddress(id, {}), "aria-current": current ? "page" : null, title: words }, icon(sign),
    h("span", { class: "grow cut wide-only" }, words),
    count === undefined ? null : h("span", { class: "soft number count wide-only" }, number(count, { notation: count > 9_999 ? "compact" : "standard" })));

const sideLink = (/** @type {string} */ href, /** @type {string} */ sign, /** @type {string} */ words) =>
  h("a", { class: "view", href, title: words }, icon(sign), h("span", { class: "grow cut wide-only" }, words));

const sideButton = (/** @type {string} */ sign, /** @type {string} */ words, /** @type {() => void} */ run, /** @type {string} */ keys) =>
  button(h("span", { class: "wide-only" }, words), run, { icon: sign, "aria-label": words, keys, title: `${words} (${keys.replace("Mod", "Ctrl")})` });

function savedMenu(/** @type {any} */ view) {
  const opener = button(t("desk.view_menu", { name: view.name }), () => menu(opener, [
    { words: view.shared ? t("desk.unshare") : t("desk.share"), run: () => change(`/api/views/${view.id}`, { shared: !view.shared }).then(loadViews, toastError) },
    { words: t("desk.delete_view"), run: () => deleteView(view) },
  ]), { icon: "ellipsis", iconOnly: true, kind: "quiet" });
  return opener;
}

async function deleteView(/** @type {any} */ view) {
  if (!await confirm(t("desk.delete_view"), t("desk.delete_view_about", { name: view.name }), t("common.remove"))) return;
  try {
    await remove(`/api/views/${view.id}`);
    toast(t("desk.view_deleted"));
    if (desk.get().view === view.id) openQueue("open");
    await loadViews();
  } catch (error) { toastError(error); }
}

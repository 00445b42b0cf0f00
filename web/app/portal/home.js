// @ts-check
/** The first page: a question with its answer in place, and my tickets. */

import { get } from "../api.js";
import { fill, h, later, updateList } from "../dom.js";
import { onEvents } from "../live.js";
import { button, linkButton, time } from "../parts/controls.js";
import { icon } from "../parts/icon.js";
import { empty, failed, skeleton } from "../parts/states.js";
import { may, mayWork, session } from "../session.js";
import { t } from "../words.js";
import { searchBox } from "./search.js";
import { stateChip } from "./places.js";

const PAGE = 20;

export function homePage() {
  const name = session.get().me?.full_name ?? "";
  const title = name ? t("portal.hello_name", { name }) : t("portal.hello");
  const mine = mayWork() ? null : myTickets();
  return {
    title: t("portal.title"),
    close: () => mine?.close(),
    content: [h("header", { class: "portal-hello" }, h("h1", {}, title), may("knowledge.read") ? searchBox() : null), mine?.element],
  };
}

function myTickets() {
  const list = h("ul", { class: "tickets" }), under = h("div", { class: "line" }), place = h("div", {}, skeleton(4));
  let limit = PAGE;
  async function load() {
    try {
      const { data, total } = await get("/api/tickets", { sort: "-updated_at", limit });
      if (!total) return void fill(place, empty(t("portal.none"), t("portal.none_about"), linkButton(t("portal.new"), "/portal/new", { kind: "primary", icon: "plus" })));
      if (!list.isConnected) fill(place, list, under);
      updateList(list, data, (ticket) => ticket.id, row, (ticket) => `${ticket.version}.${ticket.updated_at}`);
      fill(under, total > data.length && limit < 200 ? button(t("portal.more", { n: total - data.length }), () => { limit = Math.min(200, limit + 60); return load(); }) : null);
    } catch (error) {
      if (!list.isConnected) fill(place, failed(error, load));
    }
    return undefined;
  }
  load();
  return {
    close: onEvents(later(load, 100)),
    element: h("section", { class: "stack", "aria-labelledby": "mine" },
      h("div", { class: "line between" }, h("h2", { id: "mine" }, t("portal.mine")), linkButton(t("portal.new"), "/portal/new", { icon: "plus" })), place),
  };
}

const row = (/** @type {any} */ ticket) => h("li", {}, h("a", { class: "ticket-row", href: `/portal/tickets/${ticket.id}` },
  h("span", { class: "grow" }, h("span", { class: "subject" }, ticket.title), h("span", { class: "soft small line" }, `#${ticket.number}`, " · ", t("portal.changed"), " ", time(ticket.updated_at))),
  stateChip(ticket), icon("chevron-right")));

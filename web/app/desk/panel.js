// @ts-check
/** The side bar of a ticket: details, or help of the AI. */

import { fill, h } from "../dom.js";
import { button } from "../parts/controls.js";
import { preferences } from "../state.js";
import { t } from "../words.js";
import { details } from "./details.js";
import { help } from "./help.js";
import { fillAnew } from "./keep_focus.js";
import { names } from "./names.js";
import { lasting, opened } from "./state.js";

const wide = matchMedia("(min-width: 1200px)");

/** Opens or closes the side bar. On a narrow page it lies over the ticket. */
export function togglePanel() {
  const root = document.querySelector("div.desk");
  if (wide.matches) {
    root?.classList.toggle("panel-closed");
    preferences.set("desk.panel", root?.classList.contains("panel-closed") ? "closed" : "");
  } else if (root?.classList.toggle("panel-open")) /** @type {any} */ (document.querySelector(".panel [role=tab][aria-selected=true]"))?.focus();
}

export function panel() {
  const tabs = /** @type {[string, () => any][]} */ ([["details", details], ["help", help]]);
  let current = preferences.get("desk.tab", "details"), shown = "";
  const body = h("div", { role: "tabpanel", class: "panel-body", id: "panel-body", tabindex: "0", "aria-labelledby": `tab-${current}` });
  const list = h("div", { class: "tabs", role: "tablist", "aria-label": t("desk.panel") });
  const element = h("aside", { class: "panel", "aria-label": t("desk.panel"), hidden: true },
    h("div", { class: "line panel-top" }, h("div", { class: "grow" }, list), button(t("desk.close_panel"), togglePanel, { icon: "x", iconOnly: true, kind: "quiet panel-close" })), body);
  const draw = (/** @type {boolean} */ anew) => {
    const { ticket } = opened.get();
    element.hidden = !ticket;
    if (!ticket) { shown = ""; return; }
    const key = `${current} ${ticket.id}`;
    if (anew || key !== shown) fillAnew(body, (tabs.find(([name]) => name === current)?.[1] ?? details)());
    shown = key;
  };
  const choose = (/** @type {string} */ name) => {
    current = name;
    preferences.set("desk.tab", name);
    drawTabs();
    draw(false);
  };
  const drawTabs = () => {
    body.setAttribute("aria-labelledby", `tab-${current}`);
    const focused = list.contains(document.activeElement);
    fill(list, tabs.map(([name]) => h("button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(name === current), "aria-controls": "panel-body", tabindex: name === current ? "0" : "-1",
      onclick: () => choose(name),
      onkeydown: (/** @type {KeyboardEvent} */ event) => { if (["ArrowLeft", "ArrowRight"].includes(event.key)) choose(name === "details" ? "help" : "details"); },
    }, t(`desk.tab_${name}`))));
    if (focused) /** @type {any} */ (list.querySelector("[aria-selected=true]"))?.focus();
  };
  drawTabs();
  lasting(names.subscribe(() => draw(true)));
  lasting(opened.subscribe((now, before) => {
    // The details follow each change; help is kept, since somebody may be reading a draft.
    if (now === before || now.ticket?.id !== before.ticket?.id) draw(false);
    else if (current === "details" && (now.ticket !== before.ticket || now.history !== before.history || now.files !== before.files)) draw(true);
  }));
  return element;
}

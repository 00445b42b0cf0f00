// @ts-check
/** What narrows the queue: chips that can be taken away, a menu to add, the order, and saving all of it as a view. */

import { post } from "../api.js";
import { h } from "../dom.js";
import { choose } from "../parts/choose.js";
import { button, checkbox, field, showErrors } from "../parts/controls.js";
import { dialog, menu } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import { toast } from "../parts/toast.js";
import { CATEGORIES, PRIORITIES, SLA_STATUSES, SOURCES, STATUSES } from "../values.js";
import { t, word } from "../words.js";
import { agentName, names, teamName } from "./names.js";
import { FILTERS, filterBy, openQueue } from "./places.js";
import { loadViews, SORTS } from "./queue.js";
import { desk } from "./state.js";

const WORDS = /** @type {Record<string, string[]>} */ ({
  status: STATUSES, priority: PRIORITIES, category: CATEGORIES, source: SOURCES, sla_status: SLA_STATUSES,
});

/** A value of a filter in words. */
function shown(/** @type {string} */ name, /** @type {string} */ value) {
  if (name === "assigned_team") return teamName(value);
  if (name === "assigned_to") return agentName(value);
  return name in WORDS ? value.split(",").map((one) => word(name, one)).join(", ") : value;
}

export function filterChips() {
  const { query } = desk.get();
  return FILTERS.filter((name) => query[name]).map((name) => {
    const words = `${t(`desk.filter_${name}`)}: ${shown(name, query[name])}`;
    return h("button", { type: "button", class: "chip filter-chip", "aria-label": t("desk.take_filter", { words }), onclick: () => filterBy({ [name]: "" }) },
      h("span", { class: "cut" }, words), icon("x"));
  });
}

export function filterMenu() {
  return button(t("desk.add_filter"), () => { pickFilter(); }, { icon: "funnel", iconOnly: true, kind: "quiet" });
}

export function pickFilter() {
  const kinds = FILTERS.filter((name) => name !== "q" && name !== "incident");
  return choose(t("desk.add_filter"), kinds.map((name) => ({ words: t(`desk.filter_${name}`), run: () => pickValue(name) })));
}

function pickValue(/** @type {string} */ name) {
  const { agents, teams } = names.get();
  const keys = name === "assigned_team" ? teams.map((team) => team.key) : name === "assigned_to" ? agents.map((agent) => agent.key) : WORDS[name] ?? [];
  const take = (/** @type {string} */ value) => ({ words: shown(name, value), checked: desk.get().query[name] === value, run: () => filterBy({ [name]: value }) });
  return choose(t(`desk.filter_${name}`), keys.map(take), { free: name in WORDS || name === "assigned_team" ? undefined : take });
}

const sortName = (/** @type {string} */ sort) => t(`desk.sort_${sort.replace("-", "")}`);

export function sortMenu() {
  const opener = button(t("desk.sort"), () => {
    const { query, view, views } = desk.get();
    const present = query.sort || views.find((one) => one.id === view)?.sort || "-created_at";
    menu(opener, SORTS.map((sort) => ({ words: sortName(sort), checked: sort === present, run: () => filterBy({ sort }) })));
  }, { icon: "arrow-up-down", iconOnly: true, kind: "quiet" });
  return opener;
}

/** Asks for a name and saves the filters of now; those of the view they narrow are in it as well. */
export function saveView() {
  const { view, query, views } = desk.get();
  const { sort, ...filters } = query;
  const base = views.find((one) => one.id === view);
  const name = field(t("desk.view_called"), { name: "name", required: true, maxlength: "100", autocomplete: "off" });
  const shared = checkbox(t("desk.share"), { name: "shared" });
  const problem = h("p", { class: "wrong", role: "alert" });
  return dialog(t("desk.save_view"), (close) => h("form", {
    class: "stack",
    onsubmit: async (/** @type {Event} */ event) => {
      event.preventDefault();
      const order = sort || base?.sort;
      const body = { name: name.input.value, filter: { ...base?.filter, ...filters }, shared: shared.input.checked, ...(order ? { sort: order } : {}) };
      try {
        const made = (await post("/api/views", body)).data;
        close();
        toast(t("desk.view_saved"));
        await loadViews();
        openQueue(made.id);
      } catch (error) {
        problem.textContent = showErrors(error, { name });
      }
    },
  }, name, shared, problem, h("footer", { class: "line end" }, button(t("common.cancel"), close), button(t("common.save"), () => {}, { kind: "primary", type: "submit" }))));
}

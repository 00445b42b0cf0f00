// @ts-check
/** Saved filters of the queue, one's own and shared ones. */

import { h } from "../dom.js";
import { get, patch, post, remove } from "../api.js";
import { button, chip } from "../parts/controls.js";
import { into } from "../parts/states.js";
import { toast } from "../parts/toast.js";
import { CATEGORIES, PRIORITIES, STATUSES } from "../values.js";
import { number, t, word } from "../words.js";
import { formDialog } from "../parts/forms.js";
import { named, orNone, teamChoices, valueWords } from "./lookups.js";
import { ask, head, none, rowMenu, table } from "./parts.js";

const SHOWN = ["status", "priority", "category", "assigned_team", "tag", "q"];

export function showViews(/** @type {HTMLElement} */ root) {
  const place = h("div", { class: "list" });
  const reload = () => into(place, async () => {
    const rows = (await get("/api/views")).data;
    return rows.length ? view(rows, reload) : none(t("admin.views.none"), t("admin.views.none_about"), null, "bookmark");
  }, place.childElementCount ? null : undefined);
  root.append(head(t("admin.nav.views"), t("admin.views.about"), button(t("admin.views.add"), () => edit(null, reload), { icon: "plus", kind: "primary" })), place);
  reload();
}

const view = (/** @type {any[]} */ rows, /** @type {() => any} */ reload) => table([
  { words: t("admin.views.name"), cell: (row) => h("a", { class: "strong", href: `/desk?view=${encodeURIComponent(row.id)}` }, row.name) },
  { words: t("admin.views.filter"), cell: (row) => Object.entries(row.filter ?? {}).map(([name, value]) => [chip(`${word("admin.ticket_field", name)}: ${valueWords(name, value)}`), " "]) },
  { words: t("admin.views.count"), kind: "number", cell: (row) => (row.count === undefined ? "–" : number(row.count)) },
  { words: t("admin.views.who"), cell: (row) => (row.shared ? chip(t("admin.views.shared"), "blue", "users") : chip(t("admin.views.mine"), "", "user")) },
  { words: "", kind: "end", cell: (row) => rowMenu(row.name, [
    { words: t("common.edit"), run: () => edit(row, reload) },
    { words: t("common.remove"), run: async () => {
      await ask(t("admin.views.remove", { name: row.name }), t("admin.views.remove_about"), t("common.remove"), () => remove(`/api/views/${row.id}`));
      reload();
    } },
  ]) },
], rows, t("admin.nav.views"));

async function edit(/** @type {any} */ row, /** @type {() => any} */ reload) {
  const filter = row?.filter ?? { status: "open" };
  const text = (/** @type {string} */ name) => ({ name, label: word("admin.ticket_field", name), value: filter[name] ?? "" });
  const choice = (/** @type {string} */ name, /** @type {any[]} */ options) => {
    // A filter may name several values; such a one stays a choice of its own.
    const known = !filter[name] || options.some((option) => option.value === filter[name]);
    return { ...text(name), kind: /** @type {const} */ ("choice"), options: orNone(t("admin.views.any"), known ? options : [{ value: filter[name], words: valueWords(name, filter[name]) }, ...options]) };
  };
  const answer = await formDialog(row ? row.name : t("admin.views.add"), [
    { name: "name", label: t("admin.views.name"), value: row?.name, required: true },
    choice("status", named("status", ["open", "all", ...STATUSES])), choice("priority", named("priority", PRIORITIES)), choice("category", named("category", CATEGORIES)),
    choice("assigned_team", await teamChoices()), text("tag"), text("q"),
    { name: "shared", label: t("admin.views.share"), kind: "flag", value: row?.shared ?? true },
  ], ({ name, shared, ...values }) => {
    const kept = Object.entries(filter).filter(([key]) => !SHOWN.includes(key));
    const body = { name, shared, filter: Object.fromEntries([...kept, ...Object.entries(values).filter(([, value]) => value)]) };
    return row ? patch(`/api/views/${row.id}`, body) : post("/api/views", body);
  }, { verb: t("common.save"), all: true });
  if (!answer) return;
  toast(t("common.saved"));
  reload();
}

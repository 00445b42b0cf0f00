// @ts-check
/** Prepared replies and changes. */

import { h } from "../dom.js";
import { patch, post, remove } from "../api.js";
import { button, chip } from "../parts/controls.js";
import { toast } from "../parts/toast.js";
import { CATEGORIES, PRIORITIES, STATUSES } from "../values.js";
import { t, word } from "../words.js";
import { controls, formDialog } from "../parts/forms.js";
import { named, orNone, teamChoices, valueWords } from "./lookups.js";
import { ask, head, list, none, rowMenu, table } from "./parts.js";

const VARIABLES = ["customer_name", "customer_email", "ticket_number", "ticket_title", "agent_name", "company_name"];
const SETS = ["status", "priority", "category", "assigned_team", "tags"];

export function showMacros(/** @type {HTMLElement} */ root) {
  const add = () => button(t("admin.macros.add"), () => edit(null, macros.reload), { icon: "plus", kind: "primary" });
  const macros = list({ path: "/api/macros", view, none: none(t("admin.macros.none"), t("admin.macros.none_about"), add(), "command") });
  root.append(head(t("admin.nav.macros"), t("admin.macros.about"), add()), macros);
}

const view = (/** @type {any[]} */ rows, /** @type {() => void} */ reload) => table([
  { words: t("admin.macros.name"), cell: (row) => h("strong", {}, row.name) },
  { words: t("admin.macros.body"), cell: (row) => h("div", { class: "clamp" }, row.body || "–") },
  { words: t("admin.macros.sets"), cell: (row) => Object.entries(row.set ?? {}).map(([name, value]) => [chip(`${word("admin.ticket_field", name)}: ${valueWords(name, value)}`), " "]) },
  { words: "", kind: "end", cell: (row) => rowMenu(row.name, [
    { words: t("common.edit"), run: () => edit(row, reload) },
    { words: t("common.remove"), run: async () => {
      await ask(t("admin.macros.remove", { name: row.name }), t("admin.macros.remove_about"), t("common.remove"), () => remove(`/api/macros/${row.id}`));
      reload();
    } },
  ]) },
], rows, t("admin.nav.macros"));

async function edit(/** @type {any} */ row, /** @type {() => void} */ reload) {
  const set = row?.set ?? {};
  const choice = (/** @type {string} */ name, /** @type {any[]} */ options) => ({ name, label: word("admin.ticket_field", name), kind: /** @type {const} */ ("choice"), value: set[name] ?? "", options: orNone(t("admin.routing.unchanged"), options) });
  const fields = controls([
    { name: "name", label: t("admin.macros.name"), value: row?.name, required: true },
    { name: "body", label: t("admin.macros.body"), kind: "long", value: row?.body, about: t("admin.macros.variables", { names: VARIABLES.map((name) => `{{${name}}}`).join(" ") }) },
    choice("status", named("status", STATUSES.filter((status) => status !== "ai_responded"))), choice("priority", named("priority", PRIORITIES)), choice("category", named("category", CATEGORIES)), choice("assigned_team", await teamChoices()),
    { name: "tags", label: t("admin.routing.tags"), kind: "list", value: set.tags, about: t("admin.commas") },
  ]);
  const answer = await formDialog(row ? row.name : t("admin.macros.add"), fields, ({ name, body, ...values }) => {
    // What this form does not show, such as a product, stays.
    const kept = Object.entries(set).filter(([key]) => !SETS.includes(key));
    const chosen = Object.fromEntries([...kept, ...Object.entries(values).filter(([, value]) => value.length)]);
    const clear = row ? [...(body || !row.body ? [] : ["body"]), ...(Object.keys(chosen).length || !row.set ? [] : ["set"])] : [];
    const whole = { name, ...(body ? { body } : {}), ...(Object.keys(chosen).length ? { set: chosen } : {}), ...(clear.length ? { clear } : {}) };
    return row ? patch(`/api/macros/${row.id}`, whole) : post("/api/macros", whole);
  }, { verb: t("common.save"), all: true, className: "wide" });
  if (!answer) return;
  toast(t("common.saved"));
  reload();
}

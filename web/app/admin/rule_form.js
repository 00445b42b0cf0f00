// @ts-check
/** The form of a routing rule: its conditions, and what it sets. */

import { h } from "../dom.js";
import { patch, post } from "../api.js";
import { button, field, newId } from "../parts/controls.js";
import { toast } from "../parts/toast.js";
import { CATEGORIES, PRIORITIES, SOURCES, TIERS } from "../values.js";
import { t, word } from "../words.js";
import { controls, difference, formDialog } from "../parts/forms.js";
import { LANGUAGES, named, orNone, teamChoices } from "./lookups.js";

const FIELDS = ["word", "category", "topic", "tag", "tier", "source", "language"];
const OPS = ["is", "is_not", "any_of", "none_of"];
/** @type {Record<string, string[]>} */
const KNOWN = { category: CATEGORIES, tier: TIERS, source: SOURCES, language: LANGUAGES };

export async function editRule(/** @type {any} */ row, /** @type {() => void} */ reload) {
  const before = row ?? { name: "", conditions: [], team: "", priority: "", tags: [] };
  const { name, team, priority, tags } = controls([
    { name: "name", label: t("admin.routing.name"), value: before.name, about: t("admin.routing.name_about") },
    { name: "team", label: t("admin.routing.team"), kind: "choice", value: before.team, options: orNone(t("admin.routing.unchanged"), await teamChoices()) },
    { name: "priority", label: t("admin.routing.priority"), kind: "choice", value: before.priority, options: orNone(t("admin.routing.unchanged"), named("priority", PRIORITIES)) },
    { name: "tags", label: t("admin.routing.tags"), kind: "list", value: before.tags, about: t("admin.commas") },
  ]);
  const fields = { name, conditions: conditionsField(row ? before.conditions : [{ field: "word", op: "is", value: "" }]), team, priority, tags };
  const answer = await formDialog(row ? t("admin.routing.edit") : t("admin.routing.add"), fields, (values) => {
    const filled = { ...values, conditions: values.conditions.filter((/** @type {any} */ one) => one.value) };
    const body = difference(filled, before, ["name", "team", "priority", "tags", "conditions"]);
    if (row) return Object.keys(body).length ? patch(`/api/routing/rules/${row.id}`, body) : Promise.resolve({ data: {} });
    return post("/api/routing/rules", body);
  }, { verb: t("common.save"), all: true, className: "wide" });
  if (!answer) return;
  toast(t("common.saved"));
  reload();
}

/** Rows of field, comparison and value. */
function conditionsField(/** @type {any[]} */ values) {
  const rows = h("ul", { class: "stack tight" });
  const wrong = h("p", { class: "wrong", hidden: true, role: "alert" });
  const add = (/** @type {any} */ value = { field: "word", op: "is", value: "" }) => {
    const row = conditionRow(value, () => { row.remove(); more.focus(); });
    rows.append(row);
    return row;
  };
  const more = button(t("admin.routing.add_condition"), () => add().querySelector("select")?.focus(), { icon: "plus" });
  values.forEach(add);
  const element = h("fieldset", { class: "field" }, h("legend", { class: "label" }, t("admin.routing.conditions")), h("p", { class: "about" }, t("admin.routing.conditions_about")), rows, h("div", {}, more), wrong);
  return Object.assign(element, {
    input: more,
    read: () => [...rows.children].map((row) => /** @type {any} */ (row).read()),
    showError: (/** @type {string} */ text) => { wrong.textContent = text; wrong.hidden = !text; },
  });
}

function conditionRow(/** @type {any} */ value, /** @type {() => void} */ drop) {
  const part = (/** @type {string} */ label, /** @type {any} */ options) => field(label, { name: newId("condition"), labelHidden: true, ...options });
  const what = part(t("admin.routing.what"), { value: value.field, options: FIELDS.map((name) => ({ value: name, words: word("admin.routing.field", name) })) });
  const op = part(t("admin.routing.how"), { value: value.op, options: OPS.map((name) => ({ value: name, words: word("admin.routing.op", name) })) });
  const suggestions = h("datalist", { id: newId("values") });
  const against = part(t("admin.routing.value"), { value: value.value, autocomplete: "off", list: suggestions.id, placeholder: t("admin.routing.value") });
  const suggest = () => suggestions.replaceChildren(...(KNOWN[what.input.value] ?? []).map((name) => h("option", { value: name })));
  what.input.addEventListener("change", suggest);
  suggest();
  return Object.assign(h("li", { class: "condition" }, what, op, against, suggestions, button(t("admin.routing.drop_condition"), drop, { icon: "x", kind: "quiet", iconOnly: true })), {
    read: () => ({ field: what.input.value, op: op.input.value, value: against.input.value.trim() }),
  });
}

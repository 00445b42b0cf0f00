// @ts-check
/** The agreed times: a row for each priority, and for a plan where it has its own. */

import { PRIORITIES, TIERS } from "../values.js";
import { duration, t } from "../words.js";
import { h } from "../dom.js";
import { named, orNone } from "./lookups.js";
import { cell, rowsField } from "./rows_field.js";

export function slaField(/** @type {any[]} */ value, /** @type {boolean} */ fixed) {
  return rowsField({
    name: "sla", hidden: true, label: t("admin.sla.label"), about: t("admin.sla.about"), rows: value, fixed, add: t("admin.sla.add"),
    heads: [t("admin.routing.priority"), t("admin.sla.tier"), t("admin.sla.first"), t("admin.sla.resolution")],
    fresh: { priority: "urgent", tier: "enterprise", first_response_minutes: 30, resolution_minutes: 240 },
    make: (row) => {
      const priority = cell(t("admin.routing.priority"), { value: row.priority, options: named("priority", PRIORITIES) });
      const tier = cell(t("admin.sla.tier"), { value: row.tier, options: orNone(t("admin.sla.every_tier"), named("tier", TIERS)) });
      const first = minutes(t("admin.sla.first"), row.first_response_minutes);
      const last = minutes(t("admin.sla.resolution"), row.resolution_minutes);
      return { cells: [priority, tier, first, last], read: () => ({ priority: priority.value, tier: tier.value, first_response_minutes: first.read(), resolution_minutes: last.read() }) };
    },
  });
}

/** Minutes, with the same in words beside them. */
function minutes(/** @type {string} */ label, /** @type {number} */ value) {
  const input = cell(label, { value, inputmode: "numeric", class: "minutes" });
  const said = h("span", { class: "soft small" });
  const say = () => { said.textContent = Number(input.value) > 0 ? duration(Number(input.value) * 60) : ""; };
  input.addEventListener("input", say);
  say();
  const element = h("div", { class: "line" }, input, said);
  const read = () => (input.value.trim() === "" || Number.isNaN(Number(input.value)) ? input.value.trim() : Number(input.value));
  Object.defineProperty(element, "disabled", { set: (off) => { input.disabled = off; } });
  return Object.assign(element, { read });
}


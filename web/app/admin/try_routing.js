// @ts-check
/** Where a ticket would go, and why. */

import { fill, h } from "../dom.js";
import { post } from "../api.js";
import { chip } from "../parts/controls.js";
import { CATEGORIES, TIERS } from "../values.js";
import { t, word } from "../words.js";
import { controls, form } from "../parts/forms.js";
import { named, orNone, teamName } from "./lookups.js";

export function tryBox() {
  const answer = h("div", { class: "answer", role: "status" });
  const fields = controls([
    { name: "title", label: t("admin.try.title") },
    { name: "description", label: t("admin.try.description"), kind: "long" },
    { name: "category", label: t("admin.try.category"), kind: "choice", options: orNone(t("admin.try.decided"), named("category", CATEGORIES)) },
    { name: "customer_tier", label: t("admin.try.tier"), kind: "choice", options: orNone(t("admin.try.usual"), named("tier", TIERS)) },
  ]);
  return h("div", { class: "try card" }, form(fields, (values) => post("/api/routing/test", values), { verb: t("admin.try.verb"), done: ({ data }) => fill(answer,
    facts([
      [t("admin.routing.team"), teamName(data.team)], [t("admin.routing.priority"), word("priority", data.priority)], [t("admin.try.category"), word("category", data.category)],
      [t("admin.try.topic"), data.topic || "–"], [t("admin.try.language"), data.language], [t("admin.routing.tags"), data.tags.length ? data.tags.map((/** @type {string} */ tag) => [chip(tag), " "]) : "–"],
    ]), reasons(data.reasons)) }), answer);
}

/** Names and values beside each other. */
export const facts = (/** @type {[string, any][]} */ pairs) => h("dl", { class: "facts" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));

export const reasons = (/** @type {string[]} */ sentences) => h("div", {}, h("h3", {}, t("admin.try.why")), h("ul", { class: "reasons" }, sentences.map((sentence) => h("li", {}, sentence))));

// @ts-check
/** AI: how the model stands, what it did and cost, what became of its drafts, its settings, and a box to try what triage decides. */

import { fill, h } from "../dom.js";
import { get, post } from "../api.js";
import { chip } from "../parts/controls.js";
import { into } from "../parts/states.js";
import { may } from "../session.js";
import { TIERS } from "../values.js";
import { number, percent, t, word } from "../words.js";
import { controls, form } from "../parts/forms.js";
import { drafts } from "./ai_quality.js";
import { named, orNone, teamName } from "./lookups.js";
import { head, part } from "./parts.js";
import { AI } from "./setting_fields.js";
import { settingsForm } from "./settings_form.js";
import { facts, reasons } from "./try_routing.js";

export function showAi(/** @type {HTMLElement} */ root) {
  const state = h("div");
  into(state, stateOfModel);
  root.append(head(t("admin.nav.ai"), t("admin.ai.about")), state, may("stats.read") ? drafts() : "", settingsForm(() => AI),
    may("tickets.work") ? part(t("admin.ai.try"), t("admin.ai.try_about"), tryTriage()) : "");
}

async function stateOfModel() {
  const [health, usage] = await Promise.all([get("/api/health"), may("stats.read") ? get("/api/ai/usage") : { data: [] }]);
  const { mode, embeddings, note } = health.data.ai;
  const sum = (/** @type {string} */ name) => usage.data.reduce((/** @type {number} */ total, /** @type {any} */ day) => total + day[name], 0);
  const usual = mode !== "canned" && mode !== "off";
  return h("section", { class: "card stack" }, h("div", { class: "line" }, h("h2", { class: "grow" }, t("admin.ai.state")), chip(word("admin.ai.mode", mode), usual ? "green" : "amber", usual ? "circle-check" : "info")),
    note ? h("p", { class: "soft" }, note) : null,
    facts([[t("admin.ai.embeddings"), embeddings], [t("admin.ai.calls"), number(sum("model_calls"))], [t("admin.ai.tokens"), number(sum("tokens_in") + sum("tokens_out"))],
      [t("admin.ai.cost"), number(sum("cost_usd"), { style: "currency", currency: "USD" })], [t("admin.ai.answers"), number(sum("answers_model") + sum("answers_knowledge"))],
      [t("admin.ai.handoffs"), number(sum("handoffs"))]]),
    usual ? null : h("p", { class: "notice" }, t("admin.ai.how_to")));
}

function tryTriage() {
  const answer = h("div", { class: "answer", role: "status" });
  const fields = controls([
    { name: "text", label: t("admin.try.description"), kind: "long" },
    { name: "customer_tier", label: t("admin.try.tier"), kind: "choice", options: orNone(t("admin.try.usual"), named("tier", TIERS)) },
  ]);
  return h("div", { class: "try card" }, form(fields, (values) => post("/api/triage", values), { verb: t("admin.try.verb"), done: ({ data }) => fill(answer, facts([
    [t("admin.try.category"), `${word("category", data.category)} (${percent(data.category_confidence)})`], [t("admin.routing.priority"), `${word("priority", data.priority)} (${number(data.priority_score)})`],
    [t("admin.ai.sentiment"), word("sentiment", data.sentiment)], [t("admin.routing.team"), teamName(data.assigned_team)],
    [t("admin.ai.next"), data.next_action], [t("admin.ai.source"), word("admin.decider", data.triage_source)],
  ]), reasons(data.triage_reasons)) }), answer);
}

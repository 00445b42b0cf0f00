// @ts-check
/** Webhooks: which addresses get which events. */

import { h } from "../dom.js";
import { patch, post } from "../api.js";
import { button, chip } from "../parts/controls.js";
import { toast } from "../parts/toast.js";
import { address } from "../route.js";
import { may } from "../session.js";
import { t, word } from "../words.js";
import { choices, difference, formDialog } from "../parts/forms.js";
import { head, list, none, part, showOnce, table } from "./parts.js";
import { samples, showWebhook } from "./webhook.js";

const EVENTS = ["ticket.created", "ticket.reopened", "ticket.updated", "ticket.assigned", "ticket.replied", "ticket.handoff", "ticket.merged", "ticket.resolved", "ticket.closed",
  "sla.at_risk", "sla.breached", "csat.received", "incident.opened"];

export function showWebhooks(/** @type {HTMLElement} */ root, /** @type {import("../route.js").Place} */ place) {
  if (place.path[1]) return showWebhook(root, place.path[1]);
  const add = () => may("webhooks.write") && button(t("admin.webhooks.add"), () => edit(null, hooks.reload), { icon: "plus", kind: "primary" });
  const hooks = list({ path: "/api/webhooks", view, none: none(t("admin.webhooks.none"), t("admin.webhooks.none_about"), add(), "webhook") });
  root.append(head(t("admin.nav.webhooks"), t("admin.webhooks.about"), add()), hooks, part(t("admin.webhooks.samples"), t("admin.webhooks.samples_about"), samples(EVENTS)));
  return undefined;
}

export const stateOf = (/** @type {any} */ row) => (row.active ? chip(t("admin.webhooks.active"), "green", "circle-check") : chip(t("admin.webhooks.paused"), "amber", "circle-x"));

const view = (/** @type {any[]} */ rows) => table([
  { words: t("admin.webhooks.name"), cell: (row) => [h("a", { class: "strong", href: address(["webhooks", row.id]) }, row.name || hostOf(row.url)), h("div", { class: "soft" }, row.url)] },
  { words: t("admin.webhooks.events"), cell: (row) => (row.events.length === EVENTS.length ? t("admin.webhooks.all") : row.events.join(", ")) },
  { words: t("admin.webhooks.format"), cell: (row) => word("admin.format", row.format) },
  { words: t("admin.webhooks.state"), cell: (row) => [stateOf(row), row.inactive_reason ? h("div", { class: "soft small" }, row.inactive_reason) : null] },
], rows, t("admin.nav.webhooks"));

export function hostOf(/** @type {string} */ url) {
  try { return new URL(url).host; } catch { return url; }
}

/** Adds or changes a webhook; a new one's secret is shown once. */
export async function edit(/** @type {any} */ row, /** @type {() => any} */ reload) {
  const before = row ?? { name: "", url: "", events: ["ticket.created"], format: "json" };
  const answer = await formDialog(row ? t("admin.webhooks.edit") : t("admin.webhooks.add"), [
    { name: "url", label: t("admin.webhooks.url"), value: before.url, required: true, about: t("admin.webhooks.url_about"), more: { inputmode: "url", placeholder: "https://" } },
    { name: "name", label: t("admin.webhooks.name"), value: before.name },
    { name: "events", label: t("admin.webhooks.events"), kind: "checks", value: before.events, options: choices(EVENTS, (event) => event) },
    { name: "format", label: t("admin.webhooks.format"), kind: "choice", value: before.format, options: choices(["json", "teams", "slack"], (format) => word("admin.format", format)) },
  ], (values) => {
    if (!row) return post("/api/webhooks", { ...values, name: values.name || undefined });
    const body = difference(values, before, ["name"]);
    return Object.keys(body).length ? patch(`/api/webhooks/${row.id}`, body) : Promise.resolve({ data: {} });
  }, { verb: t("common.save"), all: true, className: "wide" });
  if (!answer) return;
  toast(t("common.saved"));
  if (answer.data.secret) await showOnce(t("admin.webhooks.secret"), t("admin.webhooks.secret_about"), answer.data.secret);
  reload();
}

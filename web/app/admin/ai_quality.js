// @ts-check
/** What became of the drafts of the AI, and what agents said about those that did not help. */

import { h } from "../dom.js";
import { get } from "../api.js";
import { chip, time } from "../parts/controls.js";
import { into } from "../parts/states.js";
import { number, percent, t, word } from "../words.js";
import { none, part, table } from "./parts.js";
import { facts } from "./try_routing.js";

/** The part of the page about drafts. */
export function drafts() {
  const place = h("div", { class: "stack" });
  into(place, async () => view((await get("/api/ai/quality")).data.find((/** @type {any} */ row) => row.field === "draft")));
  return part(t("admin.drafts.title"), t("admin.drafts.about"), place);
}

function view(/** @type {any} */ quality) {
  const all = quality.drafts.find((/** @type {any} */ row) => row.key === "all");
  if (!all?.written) return none(t("admin.drafts.none"), t("admin.drafts.none_about"), null, "sparkles");
  const reasons = quality.discard_reasons.filter((/** @type {any} */ row) => row.count);
  return [
    h("div", { class: "card stack" },
      facts([...["written", "accepted", "edited", "discarded"].map((name) => /** @type {[string, any]} */ ([t(`admin.drafts.${name}`), number(all[name])])),
        [t("admin.drafts.acceptance"), all.acceptance === undefined ? "–" : percent(all.acceptance)]]),
      reasons.length ? h("div", { class: "stack tight" }, h("h3", {}, t("admin.drafts.why")),
        h("ul", { class: "line" }, reasons.map((/** @type {any} */ row) => h("li", {}, chip(`${word("admin.discard", row.key)}: ${number(row.count)}`))))) : null),
    quality.feedback.length ? h("div", { class: "list" }, table([
      { words: t("admin.drafts.words"), cell: (row) => h("div", { class: "plain" }, row.reason_text) },
      { words: t("admin.drafts.reason"), cell: (row) => chip(word("admin.discard", row.reason)) },
      { words: t("admin.webhooks.when"), cell: (row) => time(row.created_at) },
      { words: "", kind: "end", cell: (row) => h("a", { href: `/desk/tickets/${encodeURIComponent(row.ticket_id)}` }, t("admin.ticket")) },
    ], quality.feedback, t("admin.drafts.words"))) : null,
  ];
}

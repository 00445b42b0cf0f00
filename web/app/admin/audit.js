// @ts-check
/** Who did what, when and from where. */

import { h, later } from "../dom.js";
import { actorName } from "../parts/actors.js";
import { time } from "../parts/controls.js";
import { address } from "../route.js";
import { t, word } from "../words.js";
import { choices, controls, read } from "../parts/forms.js";
import { change } from "./history.js";
import { orNone } from "./lookups.js";
import { head, list, none, remember, table } from "./parts.js";

const SUBJECTS = ["ticket", "customer", "user", "key", "company", "settings", "article", "macro", "view", "attachment", "transfer", "team", "routing_rule", "incident", "webhook"];

export function showAudit(/** @type {HTMLElement} */ root, /** @type {import("../route.js").Place} */ place) {
  const value = (/** @type {string} */ name) => place.query.get(name) ?? "";
  const fields = controls([
    { name: "subject", label: t("admin.audit.subject"), kind: "choice", value: value("subject"), options: orNone(t("admin.all"), choices(SUBJECTS, (subject) => word("admin.subject_kind", subject))) },
    { name: "actor", label: t("admin.audit.actor"), value: value("actor") },
    { name: "action", label: t("admin.audit.action"), value: value("action"), more: { placeholder: "settings_changed" } },
    { name: "created_after", label: t("admin.import_export.after"), kind: "moment", value: value("created_after") },
    { name: "created_before", label: t("admin.import_export.before"), kind: "moment", value: value("created_before") },
  ]);
  const audit = list({ path: "/api/audit", query: () => read(fields), view, none: () => none(t("admin.nothing_found"), "", null, "search") });
  const filters = h("form", { class: "filters grid", oninput: later(() => {
    remember(address(["audit"], read(fields)));
    audit.first();
  }, 300), onsubmit: (/** @type {Event} */ event) => event.preventDefault() }, Object.values(fields));
  root.append(head(t("admin.nav.audit"), t("admin.audit.about")), filters, audit);
}

const view = (/** @type {any[]} */ rows) => table([
  { words: t("admin.audit.when"), cell: (row) => time(row.created_at) },
  { words: t("admin.audit.actor"), cell: (row) => [h("strong", { title: row.actor }, actorName(row.actor, row)), row.said_by ? h("div", { class: "soft small" }, actorName(row.said_by)) : null] },
  { words: t("admin.audit.action"), cell: (row) => [word("admin.action", row.action), " · ", row.subject === "ticket" ? h("a", { href: `/desk/tickets/${encodeURIComponent(row.subject_id)}` }, word("admin.subject_kind", row.subject)) : word("admin.subject_kind", row.subject)] },
  { words: t("admin.audit.what"), cell: (row) => change(row) ?? "–" },
  { words: t("admin.audit.from"), cell: (row) => h("span", { class: "soft address" }, row.address || "–") },
], rows, t("admin.nav.audit"));

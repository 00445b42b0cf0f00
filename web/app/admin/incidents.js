// @ts-check
/** What several customers wrote about at the same time: answer and resolve all of it. */

import { h } from "../dom.js";
import { post } from "../api.js";
import { chip, time } from "../parts/controls.js";
import { dialog } from "../parts/dialog.js";
import { toast } from "../parts/toast.js";
import { address } from "../route.js";
import { refusalWords, number, t, word } from "../words.js";
import { formDialog } from "../parts/forms.js";
import { head, list, none, remember, rowMenu, table, tabs } from "./parts.js";

export function showIncidents(/** @type {HTMLElement} */ root, /** @type {import("../route.js").Place} */ place) {
  let status = place.query.get("status") ?? "";
  const incidents = list({ path: "/api/incidents", query: () => ({ status }), view, none: () => none(t("admin.incidents.none"), t("admin.incidents.none_about"), null, "circle-check") });
  const states = ["", "open", "resolved"].map((value) => ({ value, words: value ? word("admin.incident_state", value) : t("admin.all") }));
  root.append(head(t("admin.nav.incidents"), t("admin.incidents.about")), h("div", { class: "filters" }, tabs(t("admin.jobs.state"), states, status, (chosen) => {
    status = chosen;
    remember(address(["incidents"], { status }));
    incidents.first();
  })), incidents);
}

const view = (/** @type {any[]} */ rows, /** @type {() => void} */ reload) => table([
  { words: t("admin.incidents.title"), cell: (row) => h("strong", {}, row.title) },
  { words: t("admin.jobs.state"), cell: (row) => chip(word("admin.incident_state", row.status), row.status === "open" ? "red" : "green", row.status === "open" ? "flame" : "circle-check") },
  { words: t("admin.incidents.tickets"), cell: (row) => h("details", {}, h("summary", {}, number(row.ticket_count)), h("ul", {}, row.ticket_ids.slice(0, 20).map((/** @type {string} */ id, /** @type {number} */ at) => h("li", {}, h("a", { href: `/desk/tickets/${encodeURIComponent(id)}` }, t("admin.gaps.ticket", { n: at + 1 })))))) },
  { words: t("admin.incidents.opened"), cell: (row) => time(row.opened_at) },
  { words: "", kind: "end", cell: (row) => (row.status === "open" ? rowMenu(row.title, [
    { words: t("admin.incidents.reply"), run: () => act(row, "reply", "body", reload) }, { words: t("admin.incidents.resolve"), run: () => act(row, "resolve", "resolution", reload) },
  ]) : null) },
], rows, t("admin.nav.incidents"));

async function act(/** @type {any} */ row, /** @type {"reply"|"resolve"} */ kind, /** @type {string} */ name, /** @type {() => void} */ reload) {
  const answer = await formDialog(row.title, [{ name, label: t(`admin.incidents.${kind}_text`), kind: "long", required: true, about: t("admin.incidents.goes_to", { n: row.ticket_count }) }],
    (values) => post(`/api/incidents/${row.id}/${kind}`, values), { verb: t(`admin.incidents.${kind}`), className: "wide" });
  if (!answer) return;
  const failed = answer.data.filter((/** @type {any} */ one) => !one.success);
  const words = t("admin.incidents.done_for", { done: answer.data.length - failed.length, all: answer.data.length });
  if (!failed.length) toast(words);
  else await dialog(words, () => h("ul", { class: "errors" }, failed.map((/** @type {any} */ one) => h("li", {}, refusalWords(one.code) || one.message))));
  reload();
}

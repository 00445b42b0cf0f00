// @ts-check
/** Mails, AI answers and other work that waits or was given up. */

import { h } from "../dom.js";
import { post } from "../api.js";
import { button, chip, time } from "../parts/controls.js";
import { address } from "../route.js";
import { may } from "../session.js";
import { number, t, word } from "../words.js";
import { attempt, head, known, list, none, remember, table, tabs } from "./parts.js";

export function showJobs(/** @type {HTMLElement} */ root, /** @type {import("../route.js").Place} */ place) {
  let state = place.query.get("state") ?? "";
  const jobs = list({ path: "/api/jobs", query: () => ({ state }), view, none: () => none(t("admin.jobs.none"), t("admin.jobs.none_about"), null, "circle-check") });
  const states = ["", "waiting", "dead"].map((value) => ({ value, words: value ? word("admin.job_state", value) : t("admin.all") }));
  root.append(head(t("admin.nav.jobs"), t("admin.jobs.about"), button(t("admin.refresh"), () => jobs.reload(), { icon: "refresh-cw" })),
    h("div", { class: "filters" }, tabs(t("admin.jobs.state"), states, state, (chosen) => {
      state = chosen;
      remember(address(["jobs"], { state }));
      jobs.first();
    })), jobs);
}

const view = (/** @type {any[]} */ rows, /** @type {() => void} */ reload) => table([
  { words: t("admin.jobs.kind"), cell: (row) => [h("strong", {}, known(["job_kind", "notice_name"], row.kind)), row.ticket_id ? h("div", { class: "small" }, h("a", { href: `/desk/tickets/${encodeURIComponent(row.ticket_id)}` }, t("admin.ticket"))) : null] },
  { words: t("admin.jobs.state"), cell: (row) => chip(word("admin.job_state", row.state), row.state === "dead" ? "red" : "", row.state === "dead" ? "circle-x" : "clock") },
  { words: t("admin.webhooks.tries"), kind: "number", cell: (row) => number(row.attempts) },
  { words: t("admin.jobs.error"), cell: (row) => row.last_error || "–" },
  { words: t("admin.jobs.when"), cell: (row) => time(row.run_at) },
  { words: "", kind: "end", cell: (row) => (row.state === "dead" && may("jobs.write") ? button(t("common.try_again"), async () => {
    await attempt(() => post(`/api/jobs/${row.id}/retry`));
    reload();
  }, { icon: "refresh-cw" }) : null) },
], rows, t("admin.nav.jobs"));

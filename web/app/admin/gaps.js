// @ts-check
/** What customers ask and no article answers. */

import { h } from "../dom.js";
import { get } from "../api.js";
import { linkButton, time } from "../parts/controls.js";
import { into } from "../parts/states.js";
import { address } from "../route.js";
import { may } from "../session.js";
import { number, t } from "../words.js";
import { head, none, table } from "./parts.js";

export function showGaps(/** @type {HTMLElement} */ root) {
  const gaps = h("div", { class: "list" });
  root.append(head(t("admin.nav.gaps"), t("admin.gaps.about")), gaps);
  into(gaps, async () => {
    const rows = (await get("/api/ai/knowledge-gaps", { limit: 50 })).data;
    return rows.length ? view(rows) : none(t("admin.gaps.none"), t("admin.gaps.none_about"), null, "circle-check");
  });
}

const view = (/** @type {any[]} */ rows) => table([
  { words: t("admin.gaps.question"), cell: (row) => h("strong", {}, row.question) },
  { words: t("admin.gaps.count"), cell: (row) => h("details", {}, h("summary", {}, number(row.count)), h("ul", {}, row.ticket_ids.slice(0, 10).map((/** @type {string} */ id, /** @type {number} */ at) =>
    h("li", {}, h("a", { href: `/desk/tickets/${encodeURIComponent(id)}` }, t("admin.gaps.ticket", { n: at + 1 })))))) },
  { words: t("admin.gaps.last"), cell: (row) => time(row.last_asked_at) },
  { words: "", kind: "end", cell: (row) => (may("knowledge.write") ? linkButton(t("admin.gaps.write"), address(["knowledge", "new"], { title: row.question.slice(0, 300) }), { icon: "pencil" }) : null) },
], rows, t("admin.nav.gaps"));

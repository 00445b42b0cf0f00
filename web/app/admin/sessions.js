// @ts-check
/** Where one is signed in, and ending one or all others. */

import { h } from "../dom.js";
import { get, remove } from "../api.js";
import { button, chip, time } from "../parts/controls.js";
import { into } from "../parts/states.js";
import { t } from "../words.js";
import { attempt, none, table } from "./parts.js";

export function sessions() {
  const place = h("div", { class: "list" });
  const reload = () => into(place, async () => {
    const rows = (await get("/api/auth/sessions")).data;
    return rows.length ? [view(rows, reload), rows.length > 1 ? h("p", { class: "more" }, button(t("admin.me.end_others"), async () => { await attempt(() => remove("/api/auth/sessions")); reload(); })) : null] : none(t("admin.me.no_sessions"), "", null, "smartphone");
  }, null);
  reload();
  return place;
}

const view = (/** @type {any[]} */ rows, /** @type {() => void} */ reload) => table([
  { words: t("admin.me.where"), cell: (row) => [h("strong", {}, row.device || t("admin.me.unknown"))] },
  { words: t("admin.me.since"), cell: (row) => time(row.created_at) },
  { words: t("admin.me.last"), cell: (row) => (row.last_used_at ? time(row.last_used_at) : "–") },
  { words: "", kind: "end", cell: (row) => (row.current ? chip(t("admin.me.this_one"), "green", "check") : button(t("admin.me.end_session"), async () => {
    await attempt(() => remove(`/api/auth/sessions/${row.id}`));
    reload();
  })) },
], rows, t("admin.me.sessions"));

// @ts-check
/** Keys for apps and scripts. A key itself is shown once. */

import { h } from "../dom.js";
import { post, remove } from "../api.js";
import { button, chip, time } from "../parts/controls.js";
import { may, session } from "../session.js";
import { moment, t, word } from "../words.js";
import { formDialog } from "../parts/forms.js";
import { named, ROLES } from "./lookups.js";
import { ask, attempt, head, list, none, rowMenu, showOnce, table } from "./parts.js";

export function showKeys(/** @type {HTMLElement} */ root) {
  const add = () => may("keys.write") && button(t("admin.keys.add"), () => makeKey(keys.reload), { icon: "plus", kind: "primary" });
  const keys = list({ path: "/api/keys", view, none: none(t("admin.keys.none"), "", add(), "key-round") });
  root.append(head(t("admin.nav.keys"), t("admin.keys.about"), add()), keys);
}

function view(/** @type {any[]} */ rows, /** @type {() => void} */ reload) {
  return table([
    { words: t("admin.keys.name"), cell: (row) => [h("strong", {}, row.name), row.prefix ? h("div", { class: "soft" }, h("code", {}, `${row.prefix}…`)) : null] },
    { words: t("admin.keys.role"), cell: (row) => word("role", row.role) },
    { words: t("admin.keys.scopes"), cell: (row) => (row.scopes.length ? h("div", { class: "line tight" }, row.scopes.map((/** @type {string} */ scope) => chip(scope))) : h("span", { class: "soft" }, t("admin.keys.whole"))) },
    { words: t("admin.keys.used"), cell: (row) => (row.last_used_at ? time(row.last_used_at) : h("span", { class: "soft" }, t("admin.never"))) },
    { words: t("admin.keys.ends"), cell: ends },
    { words: "", kind: "end", cell: (row) => (may("keys.write") ? actions(row, reload) : null) },
  ], rows, t("admin.nav.keys"));
}

function ends(/** @type {any} */ row) {
  if (!row.expires_at) return h("span", { class: "soft" }, t("admin.never"));
  return new Date(row.expires_at) < new Date() ? chip(t("admin.keys.ended"), "red", "circle-x") : time(row.expires_at);
}

function actions(/** @type {any} */ row, /** @type {() => void} */ reload) {
  return rowMenu(row.name, [
    { words: t("admin.keys.rotate"), run: async () => {
      await attempt(async () => {
        const answer = await post(`/api/keys/${row.id}/rotate`);
        await showOnce(t("admin.keys.made", { name: row.name }), t("admin.keys.rotated_about"), answer.data.key);
      }, { words: t("admin.keys.rotated") });
      reload();
    } },
    { words: t("admin.keys.end"), run: async () => {
      // Without it this page itself has no way in, when it is the key in use: so its name must be written.
      const mine = session.get().me?.name === row.name && !session.get().me?.email;
      await ask(t("admin.keys.end_title", { name: row.name }), mine ? t("admin.keys.end_own") : t("admin.keys.end_about"), t("admin.keys.end"), () => remove(`/api/keys/${row.id}`), mine ? row.name : "");
      reload();
    } },
  ]);
}

async function makeKey(/** @type {() => void} */ reload) {
  const scopes = ["act_for_customers", ...session.get().me.permissions];
  const answer = await formDialog(t("admin.keys.add"), [
    { name: "name", label: t("admin.keys.name"), required: true, about: t("admin.keys.name_about") },
    { name: "role", label: t("admin.keys.role"), kind: "choice", value: "agent", options: named("role", ROLES) },
    { name: "scopes", label: t("admin.keys.scopes"), kind: "checks", about: t("admin.keys.scopes_about"), options: scopes.map((scope) => ({ value: scope, words: scope })) },
    { name: "expires_at", label: t("admin.keys.ends"), kind: "moment", about: t("admin.keys.ends_about") },
  ], (values) => post("/api/keys", values), { verb: t("admin.keys.make") });
  if (!answer) return;
  const { name, key, expires_at: end } = answer.data;
  await showOnce(t("admin.keys.made", { name }), end ? `${t("admin.keys.once")} ${t("admin.keys.until", { time: moment(end) })}` : t("admin.keys.once"), key);
  reload();
}

// @ts-check
/** Routing rules in their order, and a box to try them. */

import { h } from "../dom.js";
import { patch, remove } from "../api.js";
import { button, chip } from "../parts/controls.js";
import { icon } from "../parts/icon.js";
import { may } from "../session.js";
import { t, word } from "../words.js";
import { teamName } from "./lookups.js";
import { attempt, ask, head, list, none, part, rowMenu } from "./parts.js";
import { editRule } from "./rule_form.js";
import { tryBox } from "./try_routing.js";

export function showRouting(/** @type {HTMLElement} */ root) {
  const add = () => may("settings.write") && button(t("admin.routing.add"), () => editRule(null, rules.reload), { icon: "plus", kind: "primary" });
  const rules = list({ path: "/api/routing/rules", view, size: 100, none: none(t("admin.routing.none"), t("admin.routing.none_about"), add(), "route") });
  root.append(head(t("admin.nav.routing"), t("admin.routing.about"), add()), rules, part(t("admin.routing.try"), t("admin.routing.try_about"), tryBox()));
}

function view(/** @type {any[]} */ rows, /** @type {() => void} */ reload) {
  return h("ol", { class: "rules", "aria-label": t("admin.nav.routing") }, rows.map((row, at) => rule(row, at, rows.length, reload)));
}

function rule(/** @type {any} */ row, /** @type {number} */ at, /** @type {number} */ count, /** @type {() => void} */ reload) {
  const name = row.name || t("admin.routing.unnamed", { n: row.position });
  const move = async (/** @type {number} */ by, /** @type {string} */ id) => {
    const place = (/** @type {number} */ position) => patch(`/api/routing/rules/${row.id}`, { position });
    if (await attempt(() => place(row.position + by), { words: t("admin.routing.moved", { name }), undo: async () => { await attempt(() => place(row.position)); reload(); } })) {
      await reload();
      document.getElementById(id)?.focus();
    }
  };
  const arrow = (/** @type {number} */ by, /** @type {string} */ sign, /** @type {string} */ words, /** @type {boolean} */ off) => {
    const id = `move-${by}-${row.id}`;
    return button(words, () => move(by, id), { icon: sign, kind: "quiet", iconOnly: true, id, disabled: off });
  };
  return h("li", { class: "card rule" }, h("span", { class: "place soft", "aria-hidden": "true" }, String(row.position)),
    h("div", { class: "grow stack tight" }, h("h3", {}, name), h("p", {}, conditions(row), " ", icon("chevron-right"), " ", effects(row)),
      row.problem ? h("p", { class: "notice amber" }, icon("triangle-alert"), row.problem) : null),
    may("settings.write") ? h("div", { class: "line" }, arrow(-1, "chevron-up", t("admin.routing.up", { name }), at === 0), arrow(1, "chevron-down", t("admin.routing.down", { name }), at === count - 1),
      rowMenu(name, [{ words: t("common.edit"), run: () => editRule(row, reload) }, { words: t("common.remove"), run: async () => {
        await ask(t("admin.routing.remove", { name }), t("admin.routing.remove_about"), t("common.remove"), () => remove(`/api/routing/rules/${row.id}`));
        reload();
      } }])) : null);
}

function conditions(/** @type {any} */ row) {
  if (!row.conditions.length) return t("admin.routing.always");
  return row.conditions.flatMap((/** @type {any} */ one, /** @type {number} */ at) => [at ? ` ${t("admin.routing.and")} ` : `${t("admin.routing.if")} `,
    word("admin.routing.field", one.field), " ", h("span", { class: "soft" }, word("admin.routing.op", one.op)), " ", h("strong", {}, one.value)]);
}

function effects(/** @type {any} */ row) {
  const made = [
    row.team ? chip(teamName(row.team), "blue", "users-round") : null,
    row.priority ? chip(word("priority", row.priority), "amber", "flag") : null,
    ...row.tags.map((/** @type {string} */ tag) => chip(tag, "", "tag")),
  ].filter(Boolean).flatMap((one) => [one, " "]);
  return made.length ? made : h("span", { class: "soft" }, t("admin.routing.nothing"));
}


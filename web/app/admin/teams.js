// @ts-check
/** Teams: who is in them, and whether their tickets are given out by themselves. */

import { h } from "../dom.js";
import { patch, post, remove } from "../api.js";
import { button, chip } from "../parts/controls.js";
import { toast } from "../parts/toast.js";
import { may } from "../session.js";
import { t } from "../words.js";
import { choices, difference, formDialog } from "../parts/forms.js";
import { users } from "./lookups.js";
import { ask, head, list, none, rowMenu, table } from "./parts.js";

export function showTeams(/** @type {HTMLElement} */ root) {
  const add = may("settings.write") && button(t("admin.teams.add"), () => editTeam(null, teams.reload), { icon: "plus", kind: "primary" });
  const teams = list({ path: "/api/teams", size: 0, view, none: none(t("admin.teams.none")) });
  root.append(head(t("admin.nav.teams"), t("admin.teams.about"), add), teams);
}

function view(/** @type {any[]} */ rows, /** @type {() => void} */ reload) {
  return table([
    { words: t("admin.teams.name"), cell: (row) => [h("strong", {}, row.name), h("div", { class: "soft" }, h("code", {}, row.key))] },
    { words: t("admin.teams.members"), cell: (row) => (row.members.length ? row.members.join(", ") : h("span", { class: "soft" }, t("admin.teams.nobody"))) },
    { words: t("admin.teams.assignment"), cell: (row) => (row.assignment === "off" ? h("span", { class: "soft" }, t("admin.teams.off")) : chip(t("admin.teams.least_loaded"), "green", "check")) },
    { words: "", kind: "end", cell: (row) => (may("settings.write") ? rowMenu(row.name, [
      { words: t("common.edit"), run: () => editTeam(row, reload) },
      row.built_in ? null : { words: t("common.remove"), run: async () => {
        await ask(t("admin.teams.remove", { name: row.name }), t("admin.teams.remove_about"), t("common.remove"), () => remove(`/api/teams/${row.id}`));
        reload();
      } },
    ]) : null) },
  ], rows, t("admin.nav.teams"));
}

async function editTeam(/** @type {any} */ row, /** @type {() => void} */ reload) {
  const before = row ?? { name: "", members: [], assignment: "off" };
  const staff = may("users.read") ? (await users()).filter((user) => user.role !== "customer") : [];
  const emails = [...new Set([...staff.map((person) => person.email), ...before.members])];
  const nameOf = (/** @type {string} */ email) => staff.find((person) => person.email === email)?.name || email;
  const answer = await formDialog(row ? row.name : t("admin.teams.add"), [
    { name: "name", label: t("admin.teams.name"), value: before.name, required: true },
    { name: "members", label: t("admin.teams.members"), kind: "checks", value: before.members, options: choices(emails, nameOf), about: emails.length ? t("admin.teams.members_about") : t("admin.teams.no_staff") },
    { name: "assignment", label: t("admin.teams.assignment"), kind: "choice", value: before.assignment, about: t("admin.teams.assignment_about"),
      options: choices(["off", "least_loaded"], (value) => t(`admin.teams.${value}`)) },
  ], (values) => {
    const body = row ? difference(values, before) : values;
    if (row && !Object.keys(body).length) return Promise.resolve({ data: {} });
    return row ? patch(`/api/teams/${row.id}`, body) : post("/api/teams", body);
  }, { verb: t("common.save"), all: true });
  if (!answer) return;
  toast(t("common.saved"));
  reload();
}

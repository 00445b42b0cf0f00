// @ts-check
/** The users of the company: who they are, what they may do, whether they take tickets. */

import { h } from "../dom.js";
import { get, patch, post, remove } from "../api.js";
import { avatar, button, chip } from "../parts/controls.js";
import { confirm } from "../parts/dialog.js";
import { toast, toastError } from "../parts/toast.js";
import { may, session } from "../session.js";
import { t, word } from "../words.js";
import { controls, difference, formDialog } from "../parts/forms.js";
import { named, orNone, ROLES, teamChoices, teamName } from "./lookups.js";
import { ask, attempt, head, list, none, rowMenu, sentence, showOnce, table } from "./parts.js";

export function showUsers(/** @type {HTMLElement} */ root) {
  const writes = may("users.write");
  const add = () => writes && button(t("admin.users.add"), () => addUser(users), { icon: "plus", kind: "primary" });
  const users = list({ path: "/api/users", view, none: none(t("admin.users.none"), t("admin.users.none_about"), add(), "users") });
  root.append(head(t("admin.nav.users"), t("admin.users.about"), add()), users);
}

function view(/** @type {any[]} */ rows, /** @type {() => void} */ reload) {
  return table([
    { words: t("admin.users.name"), cell: (row) => h("div", { class: "line who" }, avatar(row.name || row.email), h("div", {}, h("strong", {}, row.name), h("div", { class: "soft" }, row.email))) },
    { words: t("admin.users.role"), cell: (row) => sentence(word("role", row.role)) },
    { words: t("admin.users.team"), cell: (row) => (row.team ? teamName(row.team) : h("span", { class: "soft" }, "–")) },
    { words: t("admin.users.takes"), cell: takes },
    { words: t("admin.users.state"), cell: (row) => h("div", { class: "line tight" }, row.disabled ? chip(t("admin.users.disabled"), "red", "lock") : row.invited_at ? chip(t("admin.users.invited"), "amber", "mail") : chip(t("admin.users.enabled"), "green", "check"),
      row.second_factor ? chip(t("admin.users.second_factor"), "", "smartphone") : null) },
    { words: "", kind: "end", cell: (row) => (may("users.write") ? actions(row, reload) : null) },
  ], rows, t("admin.nav.users"));
}

function takes(/** @type {any} */ row) {
  if (row.role === "customer") return h("span", { class: "soft" }, "–");
  const words = sentence(row.available ? t("admin.users.available") : t("admin.users.away"));
  return [words, row.capacity === undefined || row.capacity === null ? null : h("div", { class: "soft small" }, t("admin.users.up_to", { n: row.capacity }))];
}

function actions(/** @type {any} */ row, /** @type {() => void} */ reload) {
  const isMe = row.email === session.get().me?.email;
  const change = (/** @type {any} */ body) => patch(`/api/users/${row.id}`, body);
  const disable = async (/** @type {boolean} */ disabled) => {
    if (disabled && !(await leaves(row, t("admin.users.disable_title", { name: row.name }), t("admin.users.disable")))) return;
    await attempt(() => change({ disabled }), disabled ? { undo: async () => { await attempt(() => change({ disabled: false })); reload(); } } : {});
    reload();
  };
  return rowMenu(row.name, [
    { words: t("common.edit"), run: () => editUser(row, reload) },
    row.invited_at ? { words: t("admin.users.invite_again"), run: () => inviteAgain(row) } : null,
    { words: t("admin.users.new_password"), run: () => setPassword(row) },
    row.second_factor ? { words: t("admin.users.reset_factor"), run: async () => {
      await ask(t("admin.users.reset_factor"), t("admin.users.reset_about", { name: row.name }), t("admin.users.reset"), () => remove(`/api/users/${row.id}/totp`));
      reload();
    } } : null,
    isMe ? null : { words: row.disabled ? t("admin.users.enable") : t("admin.users.disable"), run: () => disable(!row.disabled) },
    isMe ? null : { words: t("admin.users.let_go"), run: async () => {
      if (await leaves(row, t("admin.users.let_go_title", { name: row.name }), t("admin.users.let_go"))) await attempt(() => remove(`/api/users/${row.id}`));
      reload();
    } },
  ]);
}

/** Asks before somebody leaves, and says what becomes of their open tickets. */
async function leaves(/** @type {any} */ row, /** @type {string} */ title, /** @type {string} */ verb) {
  try {
    const open = row.role === "customer" ? 0 : (await get("/api/tickets", { assigned_to: row.email, status: "open", limit: 1 })).total;
    return await confirm(title, open ? t("admin.users.tickets_return", { n: open }) : t("admin.users.no_tickets"), verb);
  } catch (error) {
    toastError(error);
    return false;
  }
}

const specs = async (/** @type {any} */ row = {}) => [
  { name: "name", label: t("admin.users.name"), value: row.name, required: true },
  { name: "email", label: t("admin.users.email"), kind: /** @type {const} */ ("email"), value: row.email, required: true },
  { name: "role", label: t("admin.users.role"), kind: /** @type {const} */ ("choice"), value: row.role ?? "agent", options: named("role", ROLES), about: t("admin.users.role_about") },
  { name: "team", label: t("admin.users.team"), kind: /** @type {const} */ ("choice"), value: row.team ?? "", options: orNone(t("admin.users.no_team"), may("lookups.read") ? await teamChoices() : []) },
];

/** Invites somebody by mail, who chooses their own password; or hands over a password at once. */
async function addUser(/** @type {any} */ users) {
  const fields = controls([...await specs(), { name: "own", label: t("admin.users.by_password"), kind: "flag", about: t("admin.users.by_password_about") },
    { name: "password", label: t("admin.users.password"), kind: "password", about: t("admin.users.password_about"), more: { autocomplete: "new-password" } }]);
  const show = () => { fields.password.hidden = !fields.own.read(); };
  fields.own.input.addEventListener("change", show);
  show();
  const answer = await formDialog(t("admin.users.add"), fields, ({ own, password, ...values }) => (own ? post("/api/users", { ...values, password }) : post("/api/auth/invite", values)), { verb: t("admin.users.add") });
  if (!answer) return;
  await told(answer);
  users.reload();
}

/** Without a mail server the link of an invitation is handed over. */
async function told(/** @type {any} */ answer) {
  if (answer.data.link) await showOnce(t("admin.users.link"), t("admin.users.link_about"), answer.data.link);
  else toast(answer.data.user ? t("admin.users.mailed", { email: answer.data.user.email }) : t("admin.users.added", { name: answer.data.name }));
}

const inviteAgain = async (/** @type {any} */ row) => {
  try {
    await told(await post("/api/auth/invite", { email: row.email, role: row.role, name: row.name || undefined, team: row.team || undefined }));
  } catch (error) {
    toastError(error);
  }
};

async function editUser(/** @type {any} */ row, /** @type {() => void} */ reload) {
  const before = { ...row, capacity: row.capacity ?? "" };
  const answer = await formDialog(row.name, [...await specs(row),
    { name: "available", label: t("admin.users.available_label"), kind: "flag", value: row.available },
    { name: "capacity", label: t("admin.users.capacity"), kind: "number", value: row.capacity ?? "", about: t("admin.users.capacity_about") },
  ], (values) => {
    const body = difference(values, before, ["team", "capacity"]);
    return Object.keys(body).length ? patch(`/api/users/${row.id}`, body) : Promise.resolve({ data: {} });
  }, { verb: t("common.save"), all: true });
  if (!answer) return;
  toast(t("common.saved"));
  reload();
}

async function setPassword(/** @type {any} */ row) {
  const answer = await formDialog(t("admin.users.new_password"), [{ name: "password", label: t("admin.users.password"), kind: "password", required: true, about: t("admin.users.signs_out", { name: row.name }), more: { autocomplete: "new-password" } }],
    (values) => patch(`/api/users/${row.id}`, values), { verb: t("common.save") });
  if (answer) toast(t("common.saved"));
}


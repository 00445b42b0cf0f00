// @ts-check
/** One's own account: availability, notices, password, second factor, sessions. */

import { h } from "../dom.js";
import { get, patch, post } from "../api.js";
import { chip } from "../parts/controls.js";
import { into } from "../parts/states.js";
import { toast } from "../parts/toast.js";
import { mayWork, session } from "../session.js";
import { t, word } from "../words.js";
import { choices, control, controls, form } from "../parts/forms.js";
import { attempt, head, noticeAbout, part } from "./parts.js";
import { secondFactor } from "./second_factor.js";
import { sessions } from "./sessions.js";
import { facts } from "./try_routing.js";
import { teamName } from "./lookups.js";

export function showMe(/** @type {HTMLElement} */ root) {
  const { me } = session.get();
  const person = Boolean(me.email);
  root.append(head(t("admin.nav.me"), person ? me.email : t("admin.me.key")), h("section", { class: "card" }, facts([
    [t("admin.users.role"), word("role", me.role)], [t("admin.me.company"), me.company?.name ?? ""], ...(me.team ? [/** @type {[string, any]} */ ([t("admin.users.team"), teamName(me.team)])] : []),
    ...(me.scopes?.length ? [/** @type {[string, any]} */ ([t("admin.keys.scopes"), me.scopes.map((/** @type {string} */ scope) => [chip(scope), " "])])] : []),
  ])));
  if (person && mayWork()) root.append(part(t("admin.me.you"), "", ownName(me), available(me)), part(t("admin.me.notices"), t("admin.me.notices_about"), notices(me)));
  // Tokens belong to a person who signs in; a key has no password and no sessions.
  if (person && me.permissions.includes("account")) root.append(part(t("admin.me.password"), t("admin.me.password_about"), password()));
  if (person) root.append(part(t("admin.me.factor"), t("admin.me.factor_about"), secondFactor()));
  if (person) root.append(part(t("admin.me.sessions"), t("admin.me.sessions_about"), sessions()));
}

function ownName(/** @type {any} */ me) {
  const fields = controls([{ name: "full_name", label: t("admin.users.name"), value: me.full_name, about: t("admin.me.name_about"), more: { autocomplete: "name" } }]);
  return h("div", { class: "card narrow" }, form(fields, (values) => patch("/api/me", values), { verb: t("common.save"), done: (answer) => {
    session.set({ me: answer.data });
    toast(t("common.saved"));
  } }));
}

function available(/** @type {any} */ me) {
  const field = control({ name: "available", label: t("admin.users.available_label"), kind: "flag", value: me.available, about: t("admin.me.available_about") });
  const say = async (/** @type {boolean} */ value) => {
    const worked = await attempt(() => patch("/api/me", { available: value }), value === me.available ? {} : { words: value ? t("admin.me.back") : t("admin.me.away"), undo: () => { field.input.checked = !value; say(!value); } });
    if (!worked) field.input.checked = !value;
  };
  field.input.addEventListener("change", () => say(field.input.checked));
  return h("div", { class: "card" }, field);
}

/** One checkbox for each kind of mail that staff get. */
function notices(/** @type {any} */ me) {
  const place = h("div", { class: "card" });
  into(place, async () => {
    const kinds = (await get("/api/settings/notices")).data.filter((/** @type {any} */ row) => row.audience === "staff");
    const names = kinds.map((/** @type {any} */ row) => row.kind);
    const about = (/** @type {string} */ kind) => noticeAbout(kinds.find((/** @type {any} */ row) => row.kind === kind));
    const field = control({ name: "notices_off", label: t("admin.me.get"), kind: "checks", value: names.filter((/** @type {string} */ kind) => !me.notices_off.includes(kind)), options: choices(names, about) });
    return form({ notices_off: field }, () => patch("/api/me", { notices_off: names.filter((/** @type {string} */ kind) => !field.read().includes(kind)) }), { verb: t("common.save"), done: (answer) => {
      session.set({ me: answer.data });
      toast(t("common.saved"));
    } });
  });
  return place;
}

function password() {
  const fields = controls([
    { name: "old", label: t("admin.me.old"), kind: "password", more: { autocomplete: "current-password" } },
    { name: "new", label: t("admin.me.new"), kind: "password", about: t("admin.users.password_about"), more: { autocomplete: "new-password" } },
  ]);
  // For password managers, which keep a password by the name it is for.
  const name = h("input", { type: "email", autocomplete: "username", value: session.get().me.email, hidden: true });
  const made = form(fields, (values) => post("/api/auth/password", values), { verb: t("admin.me.change"), done: (answer) => {
    for (const item of Object.values(fields)) item.input.value = "";
    toast(t("common.saved"));
  } });
  made.prepend(name);
  return h("div", { class: "card narrow" }, made);
}

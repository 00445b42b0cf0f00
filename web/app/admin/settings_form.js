// @ts-check
/** Settings in groups with one button to save: only what changed is sent, and what is wrong stays to be mended. */

import { h } from "../dom.js";
import { get, put } from "../api.js";
import { button, showErrors } from "../parts/controls.js";
import { into } from "../parts/states.js";
import { toast } from "../parts/toast.js";
import { may } from "../session.js";
import { t } from "../words.js";
import { difference } from "../parts/forms.js";
import { guard } from "./leaving.js";
import { part } from "./parts.js";
import { CLEARABLE, settingControl } from "./setting_fields.js";

/**
 * @param {(settings: any) => Record<string, string[]>} subjects The settings to show, by the subjects they stand under.
 * @param {Record<string, (value: any, fixed: boolean) => any>} [own] Controls of settings that need one of their own.
 */
export function settingsForm(subjects, own = {}) {
  const element = h("div");
  into(element, async () => build(element, (await get("/api/settings")).data, subjects, own));
  return element;
}

function build(/** @type {HTMLElement} */ element, /** @type {any} */ settings, /** @type {any} */ subjects, /** @type {any} */ own) {
  const fixed = !may("settings.write");
  /** @type {Record<string, any>} */
  const fields = {};
  const parts = Object.entries(subjects(settings)).map(([subject, names]) => {
    const made = /** @type {string[]} */ (names).filter((name) => name in settings).map((name) => {
      fields[name] = (own[name] ?? ((/** @type {any} */ value) => settingControl(name, value, fixed)))(settings[name], fixed);
      return fields[name];
    });
    for (const name of /** @type {string[]} */ (names)) if (!fields[name]) delete fields[name];
    return made.filter(Boolean).length ? part(t(`admin.subject.${subject}`), "", h("div", { class: "card stack" }, made)) : null;
  });
  if (fixed) return h("div", { class: "settings" }, h("p", { class: "notice" }, t("admin.read_only")), parts);
  // What the controls answer for the stored values: a list with other spaces is not a change.
  let before = valuesOf(fields);
  const changes = () => difference(valuesOf(fields), before, CLEARABLE);
  const { bar, update } = saveBar(async () => {
    const body = changes();
    const answer = await put("/api/settings", body);
    showErrors({ errors: [] }, fields);
    before = valuesOf(fields);
    toast(t("common.saved"));
  }, () => into(element, async () => build(element, (await get("/api/settings")).data, subjects, own)), fields, changes);
  const form = h("form", { class: "settings", novalidate: true, oninput: update, onchange: update, onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); bar.querySelector(".primary")?.click(); } }, parts, bar);
  guard(form, () => countOf(changes()) > 0);
  return form;
}

const valuesOf = (/** @type {Record<string, any>} */ fields) => Object.fromEntries(Object.entries(fields).map(([name, item]) => [name, item.read()]));
const countOf = (/** @type {any} */ body) => Object.keys(body).filter((name) => name !== "clear").length + (body.clear?.length ?? 0);

/** The bar that appears when something changed: how much, saving and dropping it. */
function saveBar(/** @type {() => Promise<any>} */ save, /** @type {() => any} */ drop, /** @type {any} */ fields, /** @type {() => any} */ changes) {
  const said = h("span", { class: "grow" });
  const problem = h("span", { class: "wrong", role: "alert" });
  const bar = h("div", { class: "save-bar", hidden: true }, said, problem, button(t("admin.drop"), drop), button(t("common.save"), async () => {
    problem.textContent = "";
    try {
      await save();
      update();
    } catch (error) {
      const left = showErrors(error, fields);
      problem.textContent = left || t("admin.wrong_fields");
    }
  }, { kind: "primary" }));
  function update() {
    const count = countOf(changes());
    bar.hidden = !count;
    said.textContent = t("admin.changes", { n: count });
    if (!count) problem.textContent = "";
  }
  return { bar, update };
}

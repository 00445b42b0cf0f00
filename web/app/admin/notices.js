// @ts-check
/** The mails that customers and staff get: their words, variables and what they look like. */

import { fill, h, later } from "../dom.js";
import { get, post, put } from "../api.js";
import { button, chip, showErrors } from "../parts/controls.js";
import { empty, into } from "../parts/states.js";
import { toast } from "../parts/toast.js";
import { address, go } from "../route.js";
import { may } from "../session.js";
import { t, word } from "../words.js";
import { controls, form } from "../parts/forms.js";
import { guard } from "./leaving.js";
import { LANGUAGES, named, orNone } from "./lookups.js";
import { attempt, back, head, noticeAbout, noticeName, part, table } from "./parts.js";

export function showNotices(/** @type {HTMLElement} */ root, /** @type {import("../route.js").Place} */ place) {
  const kind = place.path[1];
  const inner = h("div", { class: "parts" });
  root.append(...(kind ? [back(address(["notices"]), t("admin.nav.notices"))] : [head(t("admin.nav.notices"), t("admin.notices.about"))]), inner);
  into(inner, async () => {
    const kinds = (await get("/api/settings/notices")).data;
    if (!kind) return ["customers", "staff"].map((audience) => part(t(`admin.notices.${audience}`), "", view(kinds.filter((/** @type {any} */ row) => row.audience === audience))));
    const found = kinds.find((/** @type {any} */ row) => row.kind === kind);
    return found ? editor(found, place.query.get("language") ?? "") : empty(t("admin.nav.nothing"), "", null, "circle-question-mark");
  });
}

const view = (/** @type {any[]} */ rows) => table([
  { words: t("admin.notices.kind"), cell: (row) => [h("a", { class: "strong", href: address(["notices", row.kind]) }, noticeName(row)), h("div", { class: "soft" }, noticeAbout(row))] },
  { words: t("admin.notices.words"), cell: (row) => (row.texts.length ? row.texts.map((/** @type {any} */ own) => [chip(own.language ? word("admin.language", own.language) : t("admin.notices.own"), "violet", "pencil"), " "]) : h("span", { class: "soft" }, t("admin.notices.default"))) },
], rows, t("admin.nav.notices"));

function editor(/** @type {any} */ kind, /** @type {string} */ language) {
  const fixed = !may("settings.write");
  const own = kind.texts.find((/** @type {any} */ row) => row.language === language) ?? { subject: "", text: "" };
  const languages = orNone(t("admin.notices.every_language"), named("admin.language", LANGUAGES.filter((code) => code !== "other")));
  const { choice } = controls([{ name: "choice", label: t("admin.notices.language"), kind: "choice", value: language, options: languages, about: t("admin.notices.language_about") }]);
  choice.input.addEventListener("change", () => go(address(["notices", kind.kind], { language: choice.input.value })));
  const fields = controls([
    { name: "subject", label: t("admin.notices.subject"), value: own.subject, more: { placeholder: kind.default_subject, disabled: fixed } },
    { name: "text", label: t("admin.notices.text"), kind: "long", value: own.text, about: kind.always ? t("admin.notices.always", { what: kind.always }) : "", more: { placeholder: kind.default_text, rows: 8, disabled: fixed } },
  ]);
  const preview = h("div", { class: "preview card mail", role: "status" });
  const show = () => showPreview(kind.kind, language, fields, preview);
  for (const item of Object.values(fields)) item.input.addEventListener("input", later(show, 500));
  show();
  const send = (/** @type {any} */ values) => put("/api/settings/notices", { kind: kind.kind, language: language || undefined, ...values });
  let stored = { subject: own.subject, text: own.text };
  const made = fixed ? h("div", { class: "stack" }, h("p", { class: "notice" }, t("admin.read_only")), Object.values(fields)) : form(fields, send, { verb: t("common.save"), done: (answer) => { stored = { subject: fields.subject.read(), text: fields.text.read() }; toast(t("common.saved")); } });
  guard(made, () => fields.subject.read() !== stored.subject || fields.text.read() !== stored.text);
  const reset = fixed || !(own.subject || own.text) ? null : button(t("admin.notices.reset"), async () => {
    const refresh = () => go(`${address(["notices", kind.kind], { language })}`);
    if (await attempt(() => send({}), { undo: () => attempt(() => send({ subject: own.subject || undefined, text: own.text || undefined })).then(refresh) })) {
      stored = { subject: "", text: "" };
      fields.subject.input.value = fields.text.input.value = "";
      show();
    }
  }, { icon: "undo-2" });
  return h("div", { class: "stack" }, head(noticeName(kind), noticeAbout(kind), reset), h("div", { class: "narrow" }, choice), h("div", { class: "two editor" }, h("div", { class: "stack" }, made, fixed ? null : variables(kind.variables, fields)), preview));
}

/** Puts a variable where the cursor was last. */
function variables(/** @type {string[]} */ names, /** @type {any} */ fields) {
  let last = fields.text.input;
  for (const item of Object.values(fields)) item.input.addEventListener("focus", () => { last = item.input; });
  return h("div", { class: "stack tight" }, h("p", { class: "soft" }, t("admin.notices.variables")), h("div", { class: "line" }, names.map((name) => button(`{{${name}}}`, () => {
    last.setRangeText(`{{${name}}}`, last.selectionStart, last.selectionEnd, "end");
    last.focus();
    last.dispatchEvent(new Event("input", { bubbles: true }));
  }, { kind: "code" }))));
}

async function showPreview(/** @type {string} */ kind, /** @type {string} */ language, /** @type {any} */ fields, /** @type {HTMLElement} */ place) {
  try {
    const { data } = await post("/api/settings/notices/preview", { kind, language: language || undefined, subject: fields.subject.read() || undefined, text: fields.text.read() || undefined });
    showErrors({ errors: [] }, fields);
    fill(place, h("p", { class: "soft small" }, t("admin.notices.preview")), h("h3", {}, data.subject), h("div", { class: "plain" }, data.text));
  } catch (error) {
    fill(place, h("p", { class: "wrong" }, showErrors(error, fields) || t("admin.wrong_fields")));
  }
}

// @ts-check
/** Drafts of replies by the AI: written on request, never sent by themselves. */

import { post } from "../api.js";
import { fill, h } from "../dom.js";
import { button, field } from "../parts/controls.js";
import { menu } from "../parts/dialog.js";
import { into, skeleton } from "../parts/states.js";
import { sources } from "../parts/thread.js";
import { toast, toastError } from "../parts/toast.js";
import { percent, t, word } from "../words.js";
import { askText } from "./actions.js";
import { compose } from "./composer.js";
import { section } from "./details.js";

const TONES = ["friendly", "formal", "brief"];
const REASONS = ["wrong", "tone", "too_long", "not_asked", "other"];

export function draftSection(/** @type {any} */ ticket) {
  const path = `/api/tickets/${ticket.id}/draft`;
  const tone = field(t("desk.tone"), { name: "tone", value: "friendly", options: TONES.map((value) => ({ value, words: t(`desk.tone_${value}`) })) });
  const wish = field(t("desk.instructions"), { name: "instructions", placeholder: t("desk.instructions_about"), autocomplete: "off" });
  const place = h("div", {});
  const write = () => into(place, async () => shown((await post(path, { tone: tone.input.value, ...(wish.input.value.trim() ? { instructions: wish.input.value.trim() } : {}) })).data), skeleton(4, "lines"));

  function shown(/** @type {any} */ draft) {
    const record = (/** @type {string} */ outcome, /** @type {any} */ more = {}) => post(`${path}/${draft.draft_id}`, { outcome, ...more }).then(() => true, (error) => { toastError(error); return false; });
    const discard = async (/** @type {any} */ why) => { if (!await record("discarded", why)) return; fill(place, start()); place.querySelector("button")?.focus(); toast(t("desk.noted")); };
    const inWords = () => askText(t("desk.not_helpful"), t("desk.reason_words"), t("common.save"), (text) => discard({ reason: "other", ...(text ? { reason_text: text } : {}) }), { required: false, maxlength: "2000" });
    const insert = (/** @type {string} */ outcome) => { compose({ mode: "reply", body: draft.body }); record(outcome, outcome === "edited" ? { body: draft.body } : {}); };
    const bad = button(t("desk.not_helpful"), () => menu(bad, REASONS.map((reason) => ({
      words: t(`desk.reason_${reason}`),
      run: () => (reason === "other" ? inWords() : discard({ reason })),
    }))), { icon: "chevron-down", kind: "small-button" });
    return h("div", { class: "stack tight draft-box" }, h("div", { class: "plain" }, draft.body), sources(draft.citations),
      h("p", { class: "soft small" }, word("decider", draft.source), draft.confidence ? ` · ${percent(draft.confidence)}` : "", draft.stale ? ` · ${t("desk.stale_draft")}` : ""),
      h("div", { class: "line" }, button(t("desk.insert"), () => insert("accepted"), { kind: "primary small-button" }), button(t("desk.insert_edit"), () => insert("edited"), { kind: "small-button" }), bad));
  }
  const start = () => h("div", { class: "stack tight" }, tone, wish, button(t("desk.write_draft"), write, { icon: "sparkles" }));
  fill(place, start());
  return section(t("desk.draft"), place);
}

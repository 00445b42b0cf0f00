// @ts-check
/** The customer's reply. What is written is kept until it has arrived. */

import { post } from "../api.js";
import { h } from "../dom.js";
import { button, field, once } from "../parts/controls.js";
import { draftOf } from "../parts/draft.js";
import { filePicker } from "../parts/files.js";
import { t } from "../words.js";

/** @param {string} id Of the ticket. @param {() => any} sent Called when a reply has arrived. */
export function replyBox(id, sent) {
  const text = field(t("portal.reply"), { tag: "textarea", name: "body", rows: 3, maxlength: 20000, class: "reading" });
  const draft = draftOf(text.input, `reply.${id}`), files = filePicker();
  const problem = h("p", { class: "notice red", role: "alert", hidden: true });
  const submit = button(t("portal.reply_send"), () => {}, { kind: "primary", type: "submit", icon: "send" });

  async function send() {
    if (!text.input.value.trim()) return text.input.focus();
    problem.hidden = true;
    try {
      const ids = await files.send(id);
      await post(`/api/tickets/${id}/replies`, { body: text.input.value.trim(), attachment_ids: ids.length ? ids : undefined }, draft.once());
      draft.clear();
      files.clear();
      await sent();
    } catch (error) {
      problem.textContent = /** @type {any} */ (error).status === 0 ? t("portal.not_sent") : /** @type {any} */ (error).message;
      problem.lang = /** @type {any} */ (error).lang ?? "";
      if (!problem.lang) problem.removeAttribute("lang");
      problem.hidden = false;
    }
    return undefined;
  }

  const element = h("form", { class: "card stack", onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); return once(submit, send); }, novalidate: true }, text, files, problem, h("div", {}, submit));
  let solved = false;
  return {
    element,
    /** A solved ticket shows the box only to who says that it is back, or has begun to write. */
    setSolved(/** @type {boolean} */ value) {
      solved = value;
      element.hidden = solved && !text.input.value;
      text.querySelector("label").textContent = solved ? t("portal.back_about") : t("portal.reply");
    },
    open() {
      element.hidden = false;
      text.input.focus();
    },
  };
}

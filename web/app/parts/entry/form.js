// @ts-check
/** A form of the sign-in view: fields, one button, and the server's words where something is wrong. */

import { h } from "../../dom.js";
import { t } from "../../words.js";
import { button, once, showErrors } from "../controls.js";

/**
 * @param {{fields: Record<string, any>, verb: string, send: () => Promise<any>, more?: any}} options
 *   `fields` by the names of the API; `send` throws ApiError; `more` stands under the button.
 */
export function entryForm({ fields, verb, send, more = null }) {
  const problem = h("p", { class: "notice red", role: "alert", hidden: true });
  const submit = button(verb, () => {}, { kind: "primary", type: "submit" });
  async function submitted() {
    try {
      await send();
    } catch (error) {
      const words = /** @type {any} */ (error).status === 0 ? t("common.not_reached") : ownWords(error) || showErrors(error, fields);
      problem.textContent = words || "";
      if (words === /** @type {any} */ (error).message && /** @type {any} */ (error).lang) problem.lang = /** @type {any} */ (error).lang;
      else problem.removeAttribute("lang");
      problem.hidden = !words;
    }
  }
  const form = h("form", { class: "stack", onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); return once(submit, submitted); }, novalidate: true }, problem, Object.values(fields), submit, more);
  form.addEventListener("input", () => { form.dataset.touched = "yes"; });
  return form;
}

/** The page's own sentence: the server's is for programs, and names fields that the form has not. "" where it has none. */
function ownWords(/** @type {any} */ { code, errors }) {
  const name = `signin.why.${code}`, words = t(name);
  return errors?.length || words === name ? "" : words;
}

/** Ways to another panel, one under the other. */
export const ways = (/** @type {any[]} */ ...buttons) => h("div", { class: "ways" }, buttons);

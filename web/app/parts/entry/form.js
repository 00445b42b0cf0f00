// @ts-check
/** A form of the sign-in view: fields, one button, and the server's words where something is wrong. */

import { h } from "../../dom.js";
import { button, showErrors } from "../controls.js";

/**
 * @param {{fields: Record<string, any>, verb: string, send: () => Promise<any>, more?: any}} options
 *   `fields` by the names of the API; `send` throws ApiError; `more` stands under the button.
 */
export function entryForm({ fields, verb, send, more = null }) {
  const problem = h("p", { class: "notice red", role: "alert", hidden: true });
  const submit = button(verb, () => {}, { kind: "primary", type: "submit" });
  async function onSubmit(/** @type {Event} */ event) {
    event.preventDefault();
    submit.disabled = true;
    try {
      await send();
    } catch (error) {
      const words = showErrors(error, fields);
      problem.textContent = words || "";
      problem.hidden = !words;
    } finally {
      submit.disabled = false;
    }
  }
  const form = h("form", { class: "stack", onsubmit: onSubmit, novalidate: true }, problem, Object.values(fields), submit, more);
  form.addEventListener("input", () => { form.dataset.touched = "yes"; });
  return form;
}

/** Ways to another panel, one under the other. */
export const ways = (/** @type {any[]} */ ...buttons) => h("div", { class: "ways" }, buttons);

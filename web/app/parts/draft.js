// @ts-check
/** Text that is not sent yet: a reload keeps it, and one key goes with every try to send it, so that it arrives once. */

import { newKey } from "../api.js";
import { kept } from "../state.js";

/** Keeps each word that is written into a field, under a name. `.once()` goes with sending it, `.clear()` comes after. */
export function draftOf(/** @type {HTMLInputElement|HTMLTextAreaElement} */ input, /** @type {string} */ name) {
  input.value = kept.get(`draft.${name}`) || input.value;
  const save = () => {
    if (input.value === kept.get(`draft.${name}`)) return;
    kept.set(`draft.${name}`, input.value);
    kept.set(`key.${name}`, "");
  };
  for (const event of ["input", "change"]) input.addEventListener(event, save);
  return {
    /** Headers of a call that sends the text; the same until the text changes. */
    once() {
      save();
      if (!kept.get(`key.${name}`)) kept.set(`key.${name}`, newKey());
      return { headers: { "Idempotency-Key": kept.get(`key.${name}`) } };
    },
    clear() {
      input.value = "";
      kept.set(`draft.${name}`, "");
      kept.set(`key.${name}`, "");
    },
  };
}

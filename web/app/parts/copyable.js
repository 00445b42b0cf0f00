// @ts-check
import { fill, h } from "../dom.js";
import { t } from "../words.js";
import { button } from "./controls.js";

/** A text with a button that copies it. */
export function copyable(/** @type {string} */ text, /** @type {string} */ name) {
  const copy = button(t("common.copy"), async () => {
    try {
      await navigator.clipboard.writeText(text);
      fill(copy, t("common.copied"));
    } catch {
      getSelection()?.selectAllChildren(shown);
    }
  }, { icon: "copy" });
  const shown = h("code", { class: "secret", tabindex: "0", "aria-label": name }, text);
  return h("div", { class: "line copyable" }, shown, copy);
}

// @ts-check
/** The help of the keyboard, with the switch that turns single keys off (WCAG 2.1.4). */

import { h } from "../dom.js";
import { all, keysAreOn, switchKeys } from "../keys.js";
import { t } from "../words.js";
import { button, checkbox } from "./controls.js";
import { keysOf } from "./choose.js";
import { dialog } from "./dialog.js";

export function keysHelp() {
  const single = checkbox(t("common.single_keys"), { name: "single_keys", checked: keysAreOn(), about: t("common.single_keys_about") });
  single.input.addEventListener("change", () => switchKeys(single.input.checked));
  return dialog(t("common.keyboard"), (close) => [
    h("dl", { class: "key-list" }, all().map((command) => h("div", {}, h("dt", {}, command.name), h("dd", {}, keysOf(command.shown ?? command.keys))))),
    single, h("footer", {}, button(t("common.close"), close)),
  ], "wide");
}

// @ts-check
import { t } from "../../words.js";
import { button, field } from "../controls.js";
import { entryForm, ways } from "./form.js";

/** A key of the API in place of a person. */
export function keyPanel(/** @type {import("../sign_in.js").Entry} */ entry) {
  const key = field(t("signin.key"), { name: "key", type: "password", autocomplete: "off", required: true, about: t("signin.key_about") });
  return [entryForm({
    fields: { key },
    verb: t("signin.submit"),
    send: () => entry.useKey(key.input.value.trim()),
    more: ways(button(t("signin.by_password"), () => entry.show("password"), { kind: "quiet" })),
  })];
}

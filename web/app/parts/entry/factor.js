// @ts-check
import { h } from "../../dom.js";
import { t } from "../../words.js";
import { button, field } from "../controls.js";
import { entryForm, ways } from "./form.js";

/** The second factor: a code of the authenticator app, or a recovery code. */
export function factorPanel(/** @type {import("../sign_in.js").Entry} */ entry, /** @type {any} */ { challenge, remember }) {
  const code = field(t("signin.factor"), { name: "code", autocomplete: "one-time-code", required: true });
  return [h("p", { class: "soft" }, t("signin.factor_about")), entryForm({
    fields: { code },
    verb: t("signin.submit"),
    send: () => entry.enter("/api/auth/totp/verify", { challenge, code: code.input.value }, remember),
    more: ways(button(t("signin.begin_again"), () => entry.show("password"), { kind: "quiet" })),
  })];
}

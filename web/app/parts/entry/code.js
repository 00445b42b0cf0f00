// @ts-check
import { post } from "../../api.js";
import { h } from "../../dom.js";
import { t } from "../../words.js";
import { button, checkbox, field } from "../controls.js";
import { entryForm, ways } from "./form.js";

/** First the address, then the six digits of the mail. A mailed link brings both. */
export function codePanel(/** @type {import("../sign_in.js").Entry} */ entry, /** @type {any} */ { code: mailed = "", sent = Boolean(mailed) }) {
  const back = button(t("signin.by_password"), () => entry.show("password"), { kind: "quiet" });
  return sent ? digits(entry, mailed, back) : address(entry, back);
}

function address(/** @type {import("../sign_in.js").Entry} */ entry, /** @type {any} */ back) {
  const email = field(t("signin.email"), { name: "email", type: "email", autocomplete: "username", required: true, value: entry.email });
  return [h("p", { class: "soft" }, t("signin.code_about")), entryForm({
    fields: { email },
    verb: t("signin.mail_code"),
    async send() {
      await post("/api/auth/code", { email: email.input.value, company: entry.company || undefined }, { anonymous: true });
      entry.email = email.input.value;
      entry.show("code", { sent: true });
    },
    more: ways(back),
  })];
}

function digits(/** @type {import("../sign_in.js").Entry} */ entry, /** @type {string} */ mailed, /** @type {any} */ back) {
  const code = field(t("signin.code"), { name: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 20, required: true, value: mailed });
  const remember = checkbox(t("signin.remember"), { name: "remember" });
  const again = button(t("signin.code_again"), () => entry.show("code", { sent: false }), { kind: "quiet" });
  return [h("p", { class: "soft", role: "status" }, t("signin.code_sent", { email: entry.email })), entryForm({
    fields: { code, remember },
    verb: t("signin.submit"),
    send: () => entry.enter("/api/auth/code/confirm", { email: entry.email, code: code.input.value }, remember.input.checked),
    more: ways(again, back),
  })];
}

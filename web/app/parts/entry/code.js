// @ts-check
import { post } from "../../api.js";
import { h } from "../../dom.js";
import { t } from "../../words.js";
import { button, checkbox, field } from "../controls.js";
import { entryForm, ways } from "./form.js";

/** First the address, then the six digits of the mail. A mailed link brings a token instead of them. */
export function codePanel(/** @type {import("../sign_in.js").Entry} */ entry, /** @type {any} */ { code: token = "", sent = false }) {
  const back = button(t("signin.by_password"), () => entry.show("password"), { kind: "quiet" });
  if (!token && !sent) return address(entry, back);
  return token ? byLink(entry, token, back) : digits(entry, back);
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

function digits(/** @type {import("../sign_in.js").Entry} */ entry, /** @type {any} */ back) {
  const code = field(t("signin.code"), { name: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 20, required: true });
  const about = h("p", { class: "soft", role: "status" }, t("signin.code_sent", { email: entry.email }));
  return [about, enterForm(entry, { code }, () => code.input.value, back)];
}

/** A program that only opens the link signs nobody in: the button does. */
function byLink(/** @type {import("../sign_in.js").Entry} */ entry, /** @type {string} */ token, /** @type {any} */ back) {
  return [h("p", { class: "soft" }, t("signin.link_about", { email: entry.email })), enterForm(entry, {}, () => token, back)];
}

function enterForm(/** @type {import("../sign_in.js").Entry} */ entry, /** @type {any} */ fields, /** @type {() => string} */ code, /** @type {any} */ back) {
  const remember = checkbox(t("signin.remember"), { name: "remember" });
  const again = button(t("signin.code_again"), () => entry.show("code"), { kind: "quiet" });
  return entryForm({
    fields: { ...fields, remember },
    verb: t("signin.submit"),
    send: () => entry.enter("/api/auth/code/confirm", { email: entry.email, code: code() }, remember.input.checked),
    more: ways(again, back),
  });
}

// @ts-check
import { post } from "../../api.js";
import { h } from "../../dom.js";
import { t } from "../../words.js";
import { button, field } from "../controls.js";
import { entryForm, ways } from "./form.js";

/** A new customer: the code of the mail that follows makes the account. */
export function registerPanel(/** @type {import("../sign_in.js").Entry} */ entry) {
  const name = field(t("signin.name"), { name: "name", autocomplete: "name", required: true });
  const email = field(t("signin.email"), { name: "email", type: "email", autocomplete: "username", required: true, value: entry.email });
  const password = field(t("signin.new_password_optional"), { name: "password", type: "password", autocomplete: "new-password", about: t("signin.password_rule") });
  return [entryForm({
    fields: { name, email, password },
    verb: t("signin.register"),
    async send() {
      const body = { name: name.input.value, email: email.input.value, password: password.input.value || undefined, company: entry.company || undefined };
      await post("/api/auth/register", body, { anonymous: true });
      entry.email = email.input.value;
      entry.show("code", { sent: true });
    },
    more: back(entry),
  })];
}

/** A forgotten password: a link is mailed, and the answer is the same for every address. */
export function forgottenPanel(/** @type {import("../sign_in.js").Entry} */ entry) {
  const email = field(t("signin.email"), { name: "email", type: "email", autocomplete: "username", required: true, value: entry.email });
  const said = h("p", { class: "notice green", role: "status", hidden: true });
  return [said, entryForm({
    fields: { email },
    verb: t("signin.mail_link"),
    async send() {
      await post("/api/auth/reset", { email: email.input.value, company: entry.company || undefined }, { anonymous: true });
      said.textContent = t("signin.link_sent", { email: email.input.value });
      said.hidden = false;
    },
    more: back(entry),
  })];
}

const back = (/** @type {import("../sign_in.js").Entry} */ entry) =>
  ways(button(t("signin.by_password"), () => entry.show("password"), { kind: "quiet" }));

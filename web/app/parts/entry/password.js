// @ts-check
import { kept } from "../../state.js";
import { t } from "../../words.js";
import { button, checkbox, field } from "../controls.js";
import { entryForm, ways } from "./form.js";

const FOR_STAFF = /^\/(?:desk|admin)\b/;

/** E-mail and password, and the ways to the other panels that the company has. */
export function passwordPanel(/** @type {import("../sign_in.js").Entry} */ entry) {
  const { codes, registration } = entry.options;
  const email = field(t("signin.email"), { name: "email", type: "email", autocomplete: "username", required: true, value: entry.email });
  const password = field(t("signin.password"), { name: "password", type: "password", autocomplete: "current-password", required: true });
  const remember = checkbox(t("signin.remember"), { name: "remember" });
  const go = (/** @type {string} */ name) => () => { entry.email = email.input.value; entry.show(name); };
  return [entryForm({
    fields: { email, password, remember },
    verb: t("signin.submit"),
    send: () => entry.enter("/api/auth/login", { email: email.input.value, password: password.input.value }, remember.input.checked),
    more: ways(
      codes ? button(t("signin.mail_code"), go("code"), { icon: "mail" }) : null,
      registration ? button(t("signin.register"), go("register"), { icon: "plus" }) : null,
      codes ? button(t("signin.forgotten"), go("forgotten"), { kind: "quiet" }) : null,
      // Customers have no keys, but who came by one may need another.
      FOR_STAFF.test(location.pathname) || kept.get("came_by_key") ? button(t("signin.use_key"), go("key"), { kind: "quiet", icon: "key-round" }) : null),
  })];
}

// @ts-check
/** Pages of mailed links that set a password. */

import { identify, post } from "../api.js";
import { h } from "../dom.js";
import { field } from "../parts/controls.js";
import { entryForm } from "../parts/entry/form.js";
import { keepTokens, mayWork } from "../session.js";
import { t } from "../words.js";
import { openMailed } from "./mailed.js";

/**
 * @param {{title: string, about: string, path: string, named: boolean}} options `named` asks for a name too.
 */
export function startPasswordPage({ title, about, path, named }) {
  const name = named ? field(t("signin.name"), { name: "name", autocomplete: "name" }) : null;
  const password = field(t("signin.new_password"), { name: "password", type: "password", autocomplete: "new-password", required: true, about: t("signin.password_rule") });
  const again = field(t("signin.password_again"), { name: "again", type: "password", autocomplete: "new-password", required: true });
  openMailed(title, (token) => [h("p", { class: "soft" }, about), entryForm({
    fields: { ...(name ? { name } : {}), password, again },
    verb: title,
    async send() {
      again.showError(again.input.value === password.input.value ? "" : t("signin.not_the_same"));
      if (again.input.value !== password.input.value) return again.input.focus();
      const body = { token, password: password.input.value, name: name?.input.value || undefined };
      keepTokens((await post(path, body, { anonymous: true })).data);
      await identify();
      return location.assign(mayWork() ? "/desk" : "/portal");
    },
  })]);
}

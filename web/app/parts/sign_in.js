// @ts-check
/** The form that every page shows to who is not signed in. */

import { h } from "../dom.js";
import { identify, post } from "../api.js";
import { keepTokens } from "../session.js";
import { t } from "../words.js";
import { button, checkbox, field, showErrors } from "./controls.js";

/** @param {{title: string, done: () => void, note?: string, company?: string}} options `done` is called when somebody is signed in. */
export function signInForm({ title, done, note = "", company = "" }) {
  const email = field(t("signin.email"), { name: "email", type: "email", autocomplete: "username", required: true });
  const password = field(t("signin.password"), { name: "password", type: "password", autocomplete: "current-password", required: true });
  const remember = checkbox(t("signin.remember"), { name: "remember" });
  const problem = h("p", { class: "notice red", role: "alert", hidden: true });
  async function submit(/** @type {Event} */ event) {
    event.preventDefault();
    try {
      const body = { email: email.input.value, password: password.input.value, company: company || undefined };
      keepTokens((await post("/api/auth/login", body, { anonymous: true })).data, remember.input.checked);
      await identify();
      done();
    } catch (error) {
      problem.textContent = showErrors(error, { email, password }) || "";
      problem.hidden = !problem.textContent;
    }
  }
  return h("form", { class: "sign-in card", onsubmit: submit, novalidate: true },
    h("h1", {}, title), note ? h("p", { class: "notice amber" }, note) : null, problem, email, password, remember,
    button(t("signin.submit"), () => {}, { kind: "primary", type: "submit" }));
}

// @ts-check
/** The page of a confirmation link: names the company, and confirms when the button is pressed. */

import { post } from "../api.js";
import { fill, h } from "../dom.js";
import { entryForm } from "../parts/entry/form.js";
import { icon } from "../parts/icon.js";
import { t } from "../words.js";
import { claimsOf, noToken, openMailed } from "./mailed.js";

openMailed(t("signin.confirm"), (token) => {
  const { company } = claimsOf(token), box = h("div", { class: "stack" });
  if (!company) return noToken();
  const form = entryForm({
    fields: {},
    verb: t("signin.confirm_yes"),
    async send() {
      await post("/api/auth/confirm", { token }, { anonymous: true });
      fill(box, h("p", { class: "notice green", role: "status" }, icon("circle-check"), t("signin.confirmed", { company })),
        h("p", {}, h("a", { href: "/desk" }, t("frame.desk"))));
    },
  });
  return fill(box, h("p", { class: "soft" }, t("signin.confirm_about", { company })), form);
});

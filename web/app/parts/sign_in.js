// @ts-check
/** Signing in, on every page that asks for it: password, a code by mail, registering, another provider, second factor. */

import { ApiError, get, identify, post } from "../api.js";
import { fill, h } from "../dom.js";
import { keep, keepTokens } from "../session.js";
import { t } from "../words.js";
import { companyName } from "./controls.js";
import { codePanel } from "./entry/code.js";
import { factorPanel } from "./entry/factor.js";
import { issuerButton } from "./entry/issuer.js";
import { keyPanel } from "./entry/key.js";
import { passwordPanel } from "./entry/password.js";
import { forgottenPanel, registerPanel } from "./entry/register.js";

/**
 * @typedef {object} Entry What the panels share.
 * @property {string} company Name of the company, "" for the one where the account is.
 * @property {any} options What GET /api/auth/options says; empty until it is there.
 * @property {string} email What was written in another panel.
 * @property {(name: string, values?: any) => void} show Shows another panel.
 * @property {(key: string) => Promise<void>} useKey Works with a key. Throws ApiError.
 * @property {(path: string, body: any, remember?: boolean) => Promise<void>} enter Calls what signs in. Throws ApiError.
 */

/** @type {Record<string, (entry: Entry, values: any) => any[]>} */
const PANELS = { password: passwordPanel, code: codePanel, register: registerPanel, forgotten: forgottenPanel, factor: factorPanel, key: keyPanel };

/**
 * @param {{title: string, done: () => void, note?: string, company?: string, mailed?: URLSearchParams, about?: any, challenge?: string, level?: string}} options
 *   `done` is called when somebody is signed in; `mailed` is the fragment of a mailed link with `code` and `email`;
 *   `challenge` is that of somebody who only lacks the second factor; `level` is that of the heading.
 */
export function signInForm({ title, done, note = "", company = "", mailed = new URLSearchParams(), about = null, challenge = "", level = "h1" }) {
  const panel = h("div", { class: "stack" }), heading = h(level, {}, title);
  const name = company || mailed.get("company") || new URLSearchParams(location.search).get("company") || "";
  let shown = "";
  /** @type {Entry} */
  const entry = { company: name, options: {}, email: mailed.get("email") ?? "", show, enter, useKey };

  function show(/** @type {string} */ which, /** @type {any} */ values = {}) {
    const moved = shown !== "";
    shown = which;
    fill(panel, PANELS[which](entry, values));
    if (moved) /** @type {any} */ (panel.querySelector("input:not([type=checkbox]), button"))?.focus();
  }

  async function enter(/** @type {string} */ path, /** @type {any} */ body, remember = false) {
    try {
      const sent = { ...body, company: entry.company || undefined, remember: remember || undefined };
      keepTokens((await post(path, sent, { anonymous: true })).data, remember);
    } catch (error) {
      const { code, data } = /** @type {any} */ (error);
      if (code !== "second_factor_required") throw error;
      return show("factor", { challenge: data.challenge, remember });
    }
    await identify();
    done();
    return undefined;
  }

  async function useKey(/** @type {string} */ key) {
    keep({ key });
    if (key && await identify()) return done();
    keep(null);
    throw new ApiError(401, t("signin.why.key"));
  }

  const other = h("div", { class: "stack tight" });
  get("/api/auth/options", { company: name }, { anonymous: true }).then(({ data }) => {
    entry.options = data;
    if (name && companyName(data.name, "")) fill(heading, t("signin.at", { title, company: data.name }));
    // What somebody has begun to write stays.
    if (shown === "password" && !panel.querySelector("input:focus, [data-touched]")) show("password");
    if (data.oidc) fill(other, issuerButton(data.oidc));
  }).catch((error) => {
    if (error.status === 404 && name) fill(other, h("p", { class: "notice red", role: "alert" }, error.message));
  });
  if (challenge) show("factor", { challenge });
  else show(mailed.get("code") ? "code" : "password", { code: mailed.get("code") ?? "" });
  return h("section", { class: "sign-in card" }, heading, about, note ? h("p", { class: "notice amber" }, note) : null, panel, other);
}

// @ts-check
/** Signing in at the organisation's issuer: a navigation there, and its result in the fragment of the address. */

import { post } from "../../api.js";
import { keepTokens } from "../../session.js";
import { t } from "../../words.js";
import { linkButton } from "../controls.js";

/** The button that leads to the issuer and back to this page. */
export const issuerButton = (/** @type {{label: string, url: string}} */ { label, url }) =>
  linkButton(label, `${url}?next=${encodeURIComponent(location.pathname + location.search)}`, { icon: "key-round" });

/**
 * Takes what the issuer's answer left in the fragment: `session`, a code for tokens, or `problem`, a word.
 * @returns {Promise<{note?: string, challenge?: string}>} Why nobody is signed in, or what a second factor answers.
 */
export async function comeFromIssuer(/** @type {URLSearchParams} */ fragment) {
  if (fragment.get("problem")) return { note: t(`signin.problems.${fragment.get("problem")}`) };
  const code = fragment.get("session");
  if (!code) return {};
  try {
    keepTokens((await post("/api/auth/oidc/exchange", { code }, { anonymous: true })).data);
    return {};
  } catch (error) {
    const { code: why, data, message } = /** @type {any} */ (error);
    return why === "second_factor_required" ? { challenge: data.challenge } : { note: message };
  }
}

// @ts-check
/** The page of a rating link: rates when a button is pressed. */

import { h } from "../dom.js";
import { ratingBox } from "../parts/rating.js";
import { t } from "../words.js";
import { claimsOf, noToken, openMailed } from "./mailed.js";

openMailed(t("rating.title"), (token) => {
  const { sub: ticketId } = claimsOf(token);
  return ticketId ? [h("p", { class: "soft" }, t("rating.changeable")), ratingBox(ticketId, token)] : noToken();
});

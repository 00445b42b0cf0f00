// @ts-check
/** The page of a rating link: rates when a button is pressed. */

import { noLink, ratingBox } from "../parts/rating.js";
import { t } from "../words.js";
import { claimsOf, noToken, openMailed } from "./mailed.js";

openMailed(t("rating.title"), (token) => {
  const { sub: ticketId, exp } = claimsOf(token);
  if (!ticketId) return noToken();
  return exp && exp * 1000 < Date.now() ? noLink() : ratingBox(ticketId, token);
});

// @ts-check
/** How satisfied somebody is: five words to press, and a word of their own if they like. Asked once, in place. */

import { post } from "../api.js";
import { fill, h } from "../dom.js";
import { t } from "../words.js";
import { button, field } from "./controls.js";
import { toastError } from "./toast.js";

const SCORES = [1, 2, 3, 4, 5];

/** What stands in place of the rating when its link is dead. */
export const noLink = () => h("p", { class: "notice amber", role: "alert" }, t("rating.no_link"));

/** Asks for the rating of a solved ticket. With the `token` of a mailed link it is part of a page that has its title. */
export function ratingBox(/** @type {string} */ ticketId, token = "") {
  const box = h("section", { class: token ? "stack" : "card stack tight", "aria-label": t("rating.title") });
  const changeable = token ? h("p", { class: "soft" }, t("rating.changeable")) : null;
  const path = `/api/tickets/${encodeURIComponent(ticketId)}/csat`;
  const send = async (/** @type {any} */ body) => (token ? post(path, { ...body, token }, { anonymous: true }) : post(path, body));
  async function rate(/** @type {number} */ score) {
    try {
      await send({ score });
      thank(score);
    } catch (error) {
      refused(error);
    }
  }
  function refused(/** @type {any} */ error) {
    if (token && error.status === 404) fill(box, noLink());
    else toastError(error);
    if (error.code === "rating_final") changeable?.remove();
  }
  function thank(/** @type {number} */ score) {
    const comment = field(t("rating.word"), { tag: "textarea", name: "comment", maxlength: 2000, rows: 2 });
    const heading = h("h2", { tabindex: "-1", role: "status" }, t("rating.thanks", { score: t(`rating.score_${score}`) }));
    fill(box, changeable, heading, comment, h("div", {}, button(t("rating.send"), async () => {
      if (!comment.input.value.trim()) return comment.input.focus();
      try {
        await send({ score, comment: comment.input.value });
        fill(box, changeable, h("h2", { tabindex: "-1", role: "status" }, t("rating.done")));
      } catch (error) {
        refused(error);
      }
    })));
    heading.focus();
  }
  return fill(box, changeable ?? h("h2", {}, t("rating.title")), h("div", { class: "rating" },
    SCORES.map((score) => button(t(`rating.score_${score}`), () => rate(score)))));
}

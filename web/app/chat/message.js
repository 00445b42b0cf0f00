// @ts-check
/** Messages of the chat: with the articles they rest on, and those that are not sent yet. */

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { markdown } from "../md.js";
import { button } from "../parts/controls.js";
import { chosenFile, fileList } from "../parts/files.js";
import { failed, skeleton } from "../parts/states.js";
import { icon } from "../parts/icon.js";
import { messageElement } from "../parts/thread.js";
import { t } from "../words.js";

/** A message as it arrived. The company's own sentences are nobody's words. */
export function chatMessage(/** @type {any} */ message) {
  if (message.role === "system") return h("div", { class: "message event" }, markdown(message.body));
  const author = message.role === "customer" ? t("portal.you") : undefined;
  return messageElement({ ...message, citations: [] }, { author, files: fileList(message.attachments), extra: citations(message.citations) });
}

/** Numbered articles under an answer; each opens in place. */
function citations(/** @type {any[]|undefined} */ cited) {
  if (!cited?.length) return null;
  return h("ol", { class: "cited", "aria-label": t("common.sources") }, cited.map((one, at) => {
    const body = h("div", {});
    const element = h("details", {}, h("summary", {}, `[${at + 1}] `, one.title), body);
    element.addEventListener("toggle", () => { if (element.open && !body.firstChild) open(body, one.article_id); });
    return h("li", {}, element);
  }));
}

async function open(/** @type {any} */ body, /** @type {string} */ id) {
  fill(body, skeleton(3, "lines"));
  try {
    fill(body, markdown((await get(`/api/knowledge/${id}`)).data.body));
  } catch (error) {
    fill(body, failed(error, () => open(body, id)));
  }
}

/** A message on its way, or one that did not arrive. Without a file that was refused the rest can still be sent. */
export function unsentMessage(/** @type {import("./conversation.js").Unsent} */ { body, files, failed: isLost, why }, /** @type {() => void} */ again, /** @type {() => void} */ forget) {
  const rest = body || files.length ? button(why ? t("chat.send_rest") : t("common.try_again"), again, { icon: "refresh-cw" }) : null;
  return h("article", { class: "message customer unsent" }, h("header", {}, h("strong", {}, t("portal.you")),
    isLost ? h("span", { class: "chip red" }, icon("triangle-alert"), t("chat.not_sent")) : h("span", {}, t("chat.sending"))),
  body ? h("div", { class: "plain" }, body) : null, h("div", { class: "files" }, files.map((one) => chosenFile(one))),
  why ? h("p", { class: "plain", role: "alert" }, why) : null,
  isLost ? h("div", { class: "line" }, rest, button(t("common.remove"), forget, { kind: "quiet" })) : null);
}

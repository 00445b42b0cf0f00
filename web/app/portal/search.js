// @ts-check
/** "What can we help with?": passages of articles in place, and three ways on. Nothing is opened until the customer wants it. */

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { markdown } from "../md.js";
import { button } from "../parts/controls.js";
import { icon } from "../parts/icon.js";
import { into, skeleton } from "../parts/states.js";
import { toastError } from "../parts/toast.js";
import { go } from "../route.js";
import { mayWork } from "../session.js";
import { kept } from "../state.js";
import { t } from "../words.js";
import { talkToAPerson } from "./places.js";

const LEAST_SCORE = 0.12; // what the server shows to its own model (ai/retrieval/index.py)

/** @param {{read?: typeof get, open?: (() => void)|null}} [options] How it reads, and how a ticket with the question is opened; null: it is not. */
export function searchBox({ read = get, open = mayWork() ? null : () => go("/portal/new") } = {}) {
  const input = h("input", { type: "search", name: "question", "aria-label": t("portal.search"), placeholder: t("portal.search"), maxlength: 2000, autocomplete: "off", value: kept.get("portal.question") });
  const answer = h("div", { class: "stack", "aria-live": "polite" });
  function ask(/** @type {Event} */ event) {
    event.preventDefault();
    const question = input.value.trim();
    kept.set("portal.question", question);
    if (!question) return void fill(answer);
    return into(answer, async () => {
      const { data } = await read("/api/search/knowledge", { q: question, k: 3 });
      return found(question, data.filter((/** @type {any} */ hit) => hit.passage && hit.score >= LEAST_SCORE));
    }, skeleton(3, "lines"));
  }

  function solved() {
    fill(answer, h("p", { class: "notice green" }, icon("circle-check"), t("portal.glad")));
    input.value = "";
    kept.set("portal.question", "");
  }

  function found(/** @type {string} */ question, /** @type {any[]} */ hits) {
    const [best, ...others] = hits;
    const write = () => { kept.set("draft.new", kept.get("draft.new") || question); open?.(); };
    return [
      best ? passage(best, true, read) : h("p", { class: "notice" }, t("portal.nothing_found")),
      others.length ? h("details", { class: "card" }, h("summary", {}, t("portal.others", { n: others.length })), h("div", { class: "stack" }, others.map((hit) => passage(hit, false, read)))) : null,
      h("div", { class: "choices", role: "group", "aria-label": t("portal.does_it_help") },
        best ? button(t("portal.it_is_solved"), solved, { icon: "circle-check" }) : null,
        button(t("portal.person"), () => talkToAPerson(question), { icon: "message-circle" }),
        open ? button(t("portal.open_ticket"), write, { icon: "inbox" }) : null),
    ];
  }

  return h("div", { class: "stack" }, h("form", { class: "search", role: "search", onsubmit: ask }, input, button(h("span", { class: "word" }, t("portal.ask")), () => {}, { kind: "primary", type: "submit", icon: "search" })), answer);
}

function passage(/** @type {any} */ hit, /** @type {boolean} */ isCard, /** @type {typeof get} */ read) {
  const body = h("div", {}, markdown(hit.passage));
  const more = button(t("portal.whole"), async () => {
    try {
      fill(body, markdown((await read(`/api/knowledge/${hit.article_id}`)).data.body));
      more.remove();
    } catch (error) {
      toastError(error);
    }
  }, { kind: "quiet", icon: "book-open" });
  return h("article", { class: isCard ? "card stack tight answer" : "stack tight answer" },
    h("h2", {}, hit.title), hit.heading && hit.heading !== hit.title ? h("p", { class: "soft small" }, hit.heading) : null, body, h("div", {}, more));
}

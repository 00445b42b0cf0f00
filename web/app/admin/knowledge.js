// @ts-check
/** Articles: the list with its search, one article, and bringing articles in. */

import { fill, h, later } from "../dom.js";
import { get } from "../api.js";
import { chip, field, linkButton, time } from "../parts/controls.js";
import { address } from "../route.js";
import { number, t, word } from "../words.js";
import { showArticle } from "./article.js";
import { controls, form } from "../parts/forms.js";
import { showKnowledgeImport } from "./knowledge_import.js";
import { head, list, none, part, remember, table, tabs } from "./parts.js";

export function showKnowledge(/** @type {HTMLElement} */ root, /** @type {import("../route.js").Place} */ place) {
  const which = place.path[1];
  if (which === "import") return showKnowledgeImport(root);
  if (which) return showArticle(root, which, place.query);
  return showArticles(root, place.query);
}

function showArticles(/** @type {HTMLElement} */ root, /** @type {URLSearchParams} */ query) {
  const filters = { q: query.get("q") ?? "", status: query.get("status") ?? "" };
  const add = linkButton(t("admin.knowledge.add"), address(["knowledge", "new"]), { icon: "plus", kind: "primary" });
  const articles = list({ path: "/api/knowledge", query: () => filters, view, none: () => (filters.q || filters.status
    ? none(t("admin.nothing_found"), t("admin.knowledge.other_words"), null, "search") : none(t("admin.knowledge.none"), t("admin.knowledge.none_about"), null, "book-open")) });
  const change = (/** @type {any} */ what) => {
    Object.assign(filters, what);
    remember(address(["knowledge"], filters));
    articles.first();
  };
  const search = field(t("admin.knowledge.search"), { name: "q", type: "search", labelHidden: true, placeholder: t("admin.knowledge.search"), value: filters.q, autocomplete: "off" });
  search.input.addEventListener("input", later(() => change({ q: search.input.value.trim() }), 250));
  const states = ["", "published", "draft"].map((value) => ({ value, words: value ? word("admin.article_status", value) : t("admin.all") }));
  root.append(head(t("admin.nav.knowledge"), t("admin.knowledge.about"), linkButton(t("admin.knowledge.import"), address(["knowledge", "import"]), { icon: "upload" }), add),
    h("div", { class: "filters" }, tabs(t("admin.knowledge.status"), states, filters.status, (status) => change({ status })), search), articles,
    part(t("admin.knowledge.try"), t("admin.knowledge.try_about"), tryQuestion()));
}

function view(/** @type {any[]} */ rows) {
  return table([
    { words: t("admin.knowledge.title"), cell: (row) => [h("a", { class: "strong", href: address(["knowledge", row.id]) }, row.title), row.tags.length ? h("div", { class: "soft small" }, row.tags.join(", ")) : null] },
    { words: t("admin.knowledge.category"), cell: (row) => word("category", row.category) },
    { words: t("admin.knowledge.status"), cell: (row) => articleState(row.status) },
    { words: t("admin.knowledge.answered"), kind: "number", cell: (row) => [number(row.times_answered ?? 0), row.times_escalated ? h("div", { class: "soft small" }, t("admin.knowledge.escalated", { n: row.times_escalated })) : null] },
    { words: t("admin.knowledge.changed"), cell: (row) => time(row.updated_at) },
  ], rows, t("admin.nav.knowledge"));
}

export const articleState = (/** @type {string} */ status) => chip(word("admin.article_status", status), status === "published" ? "green" : "amber", status === "published" ? "circle-check" : "pencil");

/** What an answer would be made of. */
function tryQuestion() {
  const answer = h("div", { class: "answer", role: "status" });
  return h("div", { class: "try card" }, form(controls([{ name: "q", label: t("admin.knowledge.question") }]), (values) => get("/api/search/knowledge", values.q ? values : { q: " " }), { verb: t("admin.try.verb"),
    done: ({ data }) => fill(answer, data.length ? h("ol", { class: "stack tight" }, data.map((/** @type {any} */ hit) => h("li", { class: "passage" },
      h("div", { class: "line between" }, h("a", { class: "strong", href: address(["knowledge", hit.article_id]) }, hit.title), chip(t("admin.knowledge.score", { n: Math.round(hit.score * 100) }))),
      hit.heading ? h("p", { class: "soft small" }, hit.heading) : null, h("p", {}, hit.passage)))) : h("p", {}, t("admin.knowledge.no_answer"))) }), answer);
}

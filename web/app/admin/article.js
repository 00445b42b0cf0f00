// @ts-check
/** One article: Markdown and what it looks like beside each other, its state and its history. */

import { fill, h, later } from "../dom.js";
import { ApiError, get, patch, post, remove } from "../api.js";
import { markdown } from "../md.js";
import { button, showErrors } from "../parts/controls.js";
import { into } from "../parts/states.js";
import { toast } from "../parts/toast.js";
import { address, go } from "../route.js";
import { may } from "../session.js";
import { CATEGORIES } from "../values.js";
import { t } from "../words.js";
import { articleState } from "./knowledge.js";
import { controls, difference, read } from "../parts/forms.js";
import { historyList } from "./history.js";
import { guard } from "./leaving.js";
import { named } from "./lookups.js";
import { ask, back, head } from "./parts.js";

const FRESH = { title: "", body: "", category: "general", tags: [], status: "draft" };

export function showArticle(/** @type {HTMLElement} */ root, /** @type {string} */ id, /** @type {URLSearchParams} */ query) {
  root.append(back(address(["knowledge"]), t("admin.nav.knowledge")));
  const place = h("div");
  root.append(place);
  const load = async () => editor(place, id === "new" ? { ...FRESH, title: query.get("title") ?? "" } : (await get(`/api/knowledge/${encodeURIComponent(id)}`)).data, load);
  into(place, load);
}

function editor(/** @type {any} */ place, /** @type {any} */ article, /** @type {() => Promise<any>} */ load) {
  let stored = article;
  const fields = controls([
    { name: "title", label: t("admin.knowledge.title"), value: article.title, required: true },
    { name: "category", label: t("admin.knowledge.category"), kind: "choice", value: article.category, options: named("category", CATEGORIES) },
    { name: "tags", label: t("admin.routing.tags"), kind: "list", value: article.tags, about: t("admin.commas") },
    { name: "body", label: t("admin.knowledge.body"), kind: "long", value: article.body, about: t("admin.knowledge.body_about"), more: { rows: 18, class: "editor-text" } },
  ]);
  const preview = h("div", { class: "preview card", tabindex: "0", role: "region", "aria-label": t("admin.knowledge.preview") });
  const show = () => fill(preview, fields.body.input.value.trim() ? markdown(fields.body.input.value) : h("p", { class: "soft" }, t("admin.knowledge.preview_empty")));
  fields.body.input.addEventListener("input", later(show, 120));
  show();
  const problem = h("div", { role: "alert" });
  const changes = () => difference(read(fields, true), stored.id ? stored : { ...FRESH }, ["tags"]);
  async function save(/** @type {string} */ status, version = stored.version) {
    fill(problem);
    try {
      const body = { ...changes(), status };
      const answer = stored.id ? await patch(`/api/knowledge/${stored.id}`, { ...body, version }) : await post("/api/knowledge", { title: "", body: "", ...body });
      showErrors({ errors: [] }, fields);
      const isNew = !stored.id;
      stored = answer.data;
      toast(t("common.saved"));
      if (isNew) go(address(["knowledge", stored.id]), { replace: true });
      else drawHead();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 412) return fill(problem, conflict(error.data.current, () => save(status, error.data.current?.version), () => into(place, load)));
      const words = showErrors(error, fields);
      fill(problem, words ? h("p", { class: "notice red" }, words) : null);
    }
    return undefined;
  }
  const top = h("div");
  const writes = may("knowledge.write");
  function drawHead() {
    const published = stored.status === "published";
    fill(top, head(stored.id ? stored.title : t("admin.knowledge.add"), stored.id ? articleState(stored.status) : t("admin.knowledge.new_about"),
      ...(writes ? [button(published ? t("admin.knowledge.to_draft") : t("admin.knowledge.save_draft"), () => save("draft")), button(published ? t("common.save") : t("admin.knowledge.publish"), () => save("published"), { kind: "primary" })] : [])));
  }
  drawHead();
  const element = h("div", { class: "stack" }, top, problem, fields.title, h("div", { class: "two" }, fields.category, fields.tags), h("div", { class: "two editor" }, fields.body, preview), stored.id ? below(stored, writes) : null);
  guard(element, () => Object.keys(changes()).length > 0);
  return element;
}

/** Somebody else saved it meanwhile: both are shown, nothing is lost. */
function conflict(/** @type {any} */ theirs, /** @type {() => any} */ keep, /** @type {() => any} */ take) {
  return h("div", { class: "notice amber stack tight" }, h("p", { class: "strong" }, t("admin.knowledge.conflict")),
    theirs?.body ? h("details", {}, h("summary", {}, t("admin.knowledge.theirs")), h("div", { class: "plain" }, theirs.body)) : null,
    h("div", { class: "line" }, button(t("admin.knowledge.keep_mine"), keep), button(t("admin.knowledge.take_theirs"), take)));
}

function below(/** @type {any} */ article, /** @type {boolean} */ writes) {
  const history = h("div");
  const shown = h("details", { class: "card", ontoggle: () => {
    if (shown.open) into(history, async () => historyList((await get(`/api/knowledge/${article.id}/history`)).data.reverse()));
  } }, h("summary", { class: "strong" }, t("admin.knowledge.history")), history);
  return [may("history.read") ? shown : null, writes ? h("p", {}, button(t("admin.knowledge.remove"), () => ask(t("admin.knowledge.remove_title", { title: article.title }), t("admin.knowledge.remove_about"), t("common.remove"), async () => {
    const answer = await remove(`/api/knowledge/${article.id}`);
    go(address(["knowledge"]));
    return answer;
  }), { icon: "trash-2", kind: "quiet" })) : null];
}

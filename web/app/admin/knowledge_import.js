// @ts-check
/** Bringing in articles: several files one after another, with what became of each. */

import { fill, h } from "../dom.js";
import { post } from "../api.js";
import { field } from "../parts/controls.js";
import { address } from "../route.js";
import { t } from "../words.js";
import { back, head, table } from "./parts.js";

export function showKnowledgeImport(/** @type {HTMLElement} */ root) {
  const files = field(t("admin.knowledge.files"), { name: "files", type: "file", multiple: true, accept: ".md,.markdown,.zip,.csv,.xlsx,.json,.txt", about: t("admin.knowledge.files_about") });
  const progress = h("progress", { max: "1", value: "0", hidden: true, "aria-label": t("admin.import_export.progress") });
  const results = h("div", { role: "status" });
  files.input.addEventListener("change", async () => {
    const chosen = [...files.input.files];
    /** @type {any[]} */
    const done = [];
    files.input.disabled = true;
    progress.hidden = !chosen.length;
    progress.max = chosen.length;
    for (const file of chosen) {
      progress.value = done.length;
      done.push(await bring(file));
      fill(results, resultTable(done));
    }
    progress.hidden = true;
    files.input.disabled = false;
    files.input.value = "";
  });
  root.append(back(address(["knowledge"]), t("admin.nav.knowledge")), head(t("admin.knowledge.import_title"), t("admin.knowledge.import_about")), h("div", { class: "card stack" }, files, progress), results);
}

async function bring(/** @type {File} */ file) {
  const body = new FormData();
  body.append("file", file);
  try {
    const answer = await post("/api/import/knowledge", body);
    return { name: file.name, message: t("admin.knowledge.imported", answer.data), errors: answer.data.errors };
  } catch (error) {
    const failure = /** @type {any} */ (error);
    return { name: file.name, message: failure.message, errors: failure.errors ?? [], failed: true };
  }
}

const resultTable = (/** @type {any[]} */ rows) => table([
  { words: t("admin.import_export.file"), cell: (row) => h("strong", {}, row.name) },
  { words: t("admin.import_export.result"), cell: (row) => [h("p", { class: row.failed ? "wrong" : null }, row.message), errorList(row.errors)] },
], rows, t("admin.import_export.result"));

/** Why rows were refused. */
export const errorList = (/** @type {any[]} */ errors) => (errors?.length ? h("ul", { class: "errors small" }, errors.map((error) =>
  h("li", {}, error.file ? `${error.file} ` : "", error.line ? t("admin.import_export.line", { n: error.line }) : "", " ", h("span", { class: "wrong" }, error.message)))) : null);

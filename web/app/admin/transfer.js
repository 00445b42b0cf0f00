// @ts-check
/** Everything of a company as one file: made and taken in the background. The newest transfer is followed, and can be stopped. */

import { fill, h } from "../dom.js";
import { get, post, put, remove } from "../api.js";
import { button, chip, field } from "../parts/controls.js";
import { fileSize, saveFile } from "../parts/files.js";
import { into } from "../parts/states.js";
import { toastError } from "../parts/toast.js";
import { may } from "../session.js";
import { moment, number, percent, t, word } from "../words.js";
import { errorList } from "./knowledge_import.js";
import { ask, attempt } from "./parts.js";
import { facts } from "./try_routing.js";

const PART = 8 * 1024 * 1024;  // bytes of a file that go in one call; the API takes 1 to 32 MiB
const RUNNING = ["uploading", "waiting", "running"];

export function transfer() {
  const place = h("div", { class: "card stack", role: "status" });
  const start = button(t("admin.import_export.start"), () => attempt(async () => {
    await post("/api/transfers", { kind: "export" });
    follow();
  }, { words: t("admin.import_export.begun") }), { icon: "download", kind: "primary" });
  async function follow() {
    try {
      const [data] = (await get("/api/transfers", { limit: 1 })).data;
      if (!data) return fill(place, h("div", {}, start));
      const isRunning = RUNNING.includes(data.state);
      fill(place, state(data), h("div", { class: "line" }, data.state === "done" && data.kind === "export" ? button(t("admin.import_export.download", { size: fileSize(data.size) }), () => saveFile(`/api/transfers/${data.id}/file`), { icon: "download", kind: "primary" }) : null,
        isRunning && data.state !== "uploading" ? null : start,
        isRunning && (data.kind === "export" || may("import")) ? button(t("admin.import_export.stop"), () => stop(data), { icon: "x" }) : null));
      if (isRunning) setTimeout(() => place.isConnected && follow(), 1500);
    } catch (error) {
      fill(place, h("p", { class: "wrong" }, /** @type {any} */ (error).message));
    }
    return undefined;
  }
  const stop = (/** @type {any} */ { id, kind }) => ask(t("admin.import_export.stop"), t(`admin.import_export.stop_${kind}`), t("admin.import_export.stop"), async () => {
    await remove(`/api/transfers/${id}`);
    follow();
  });
  into(place, async () => { await follow(); return [...place.childNodes]; }, null);
  return h("div", { class: "stack" }, place, may("import") ? taking(follow) : null);
}

/** A file of an export, sent in parts, so that a long one goes on after a break. */
function taking(/** @type {() => any} */ follow) {
  const file = field(t("admin.import_export.take"), { name: "transfer", type: "file", accept: ".zip,application/zip", about: t("admin.import_export.take_about") });
  const progress = h("progress", { max: "1", value: "0", hidden: true, "aria-label": t("admin.import_export.progress") });
  file.input.addEventListener("change", async () => {
    const chosen = file.input.files[0];
    if (!chosen) return;
    file.input.disabled = true;
    progress.hidden = false;
    try {
      await send(chosen, (share) => { progress.value = share; });
      await follow();
    } catch (error) {
      toastError(error);
    } finally {
      progress.hidden = true;
      file.input.disabled = false;
      file.input.value = "";
    }
  });
  return h("div", { class: "card stack" }, file, progress);
}

/** Sends a file in parts. */
async function send(/** @type {File} */ file, /** @type {(share: number) => void} */ tell) {
  const { id } = (await post("/api/transfers", { kind: "import" })).data;
  let from = 0;
  do {
    const to = Math.min(from + PART, file.size);
    const headers = { "Content-Type": "application/zip", "Content-Range": `bytes ${from}-${to - 1}/${file.size}` };
    from = (await put(`/api/transfers/${id}/file`, file.slice(from, to), { headers })).data.size || to;
    tell(from / file.size);
  } while (from < file.size);
}

function state(/** @type {any} */ data) {
  const share = data.total ? data.done / data.total : 0;
  const isRunning = RUNNING.includes(data.state);
  const counts = data.kind === "import" && !isRunning ? facts(["created", "skipped", "rejected", "renumbered"].map((name) => [t(`admin.import_export.${name}`), number(data[name])])) : null;
  return h("div", { class: "stack tight" }, h("div", { class: "line" }, h("strong", {}, word("admin.transfer_kind", data.kind)), chip(word("admin.transfer_state", data.state), /** @type {any} */ ({ done: "green", failed: "red" })[data.state] ?? ""), h("span", { class: "soft" }, moment(data.created_at))),
    isRunning ? h("progress", { max: String(data.total || 1), value: String(data.done), "aria-label": t("admin.import_export.progress") }) : null,
    isRunning ? h("p", { class: "soft" }, t("admin.import_export.done_of", { done: data.done, total: data.total, share: percent(share) })) : null, counts, errorList(data.errors));
}

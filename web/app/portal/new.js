// @ts-check
/** A new ticket: what happened, how urgent it is, files. Its title is the first line until the customer writes another. */

import { post } from "../api.js";
import { h } from "../dom.js";
import { askNow } from "../live.js";
import { button, field, linkButton, newId, once, showErrors } from "../parts/controls.js";
import { draftOf } from "../parts/draft.js";
import { filePicker } from "../parts/files.js";
import { toastError } from "../parts/toast.js";
import { go } from "../route.js";
import { kept } from "../state.js";
import { t } from "../words.js";

const MOST_TITLE = 120;
const URGENCIES = ["wait", "slow", "stopped"];

/** The first sentence or line of a text, cut at a word. */
function titleOf(/** @type {string} */ text) {
  const line = text.trim().split(/\n|(?<=[.!?])\s/)[0].replace(/\s+/g, " ").trim();
  return line.length <= MOST_TITLE ? line : `${line.slice(0, MOST_TITLE).replace(/\s+\S*$/, "")}…`;
}

export function newPage() {
  const text = field(t("portal.what"), { tag: "textarea", name: "description", rows: 6, required: true, maxlength: 19000, class: "reading" });
  const title = field(t("portal.subject"), { name: "title", maxlength: 200, autocomplete: "off" });
  const draft = draftOf(text.input, "new"), titleDraft = draftOf(title.input, "new_title");
  let own = Boolean(title.input.value);
  const follow = () => { if (!own) title.input.value = titleOf(text.input.value); };
  text.input.addEventListener("input", follow);
  title.input.addEventListener("input", () => { own = Boolean(title.input.value.trim()); });
  follow();
  const urgency = urgencyChoice(), files = filePicker();
  const problem = h("p", { class: "notice red", role: "alert", hidden: true });

  async function send() {
    problem.hidden = true;
    const description = text.input.value.trim();
    if (!description) { text.showError(t("portal.write_something")); return text.input.focus(); }
    const said = urgency.value() === "slow" ? "" : `\n\n${t("portal.urgency_line", { words: t(`portal.urgency_${urgency.value()}`) })}`;
    try {
      const { data } = await post("/api/tickets", { title: title.input.value.trim() || titleOf(description), description: description + said, source: "web" }, draft.once());
      await files.send(data.id).catch(toastError);
      for (const one of [draft, titleDraft]) one.clear();
      for (const name of ["portal.question", "urgency.new"]) kept.set(name, "");
      askNow();
      return go(`/portal/tickets/${data.id}`, { replace: true });
    } catch (error) {
      const words = /** @type {any} */ (error).status === 0 ? t("portal.not_sent") : showErrors(error, { description: text, title });
      problem.textContent = words;
      problem.hidden = !words;
      return undefined;
    }
  }
  const submit = button(t("portal.send"), () => {}, { kind: "primary", type: "submit", icon: "send" });
  const form = h("form", { class: "card stack", novalidate: true, onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    return once(submit, send);
  } }, text, title, urgency.element, files, problem, h("div", { class: "line" }, submit, linkButton(t("common.cancel"), "/portal", { kind: "quiet" })));
  return { title: t("portal.new"), content: [h("h1", {}, t("portal.new")), form] };
}

/** How urgent it is for the customer. Their words go with the text, and the server weighs them like all others. */
function urgencyChoice() {
  const name = newId("urgency");
  const chosen = kept.get("urgency.new", "slow");
  const inputs = URGENCIES.map((value) => h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => kept.set("urgency.new", value) }));
  return {
    value: () => inputs.find((input) => input.checked)?.value ?? "slow",
    element: h("fieldset", { class: "urgency" }, h("legend", {}, t("portal.urgency")),
      inputs.map((input, at) => h("label", { class: "choice" }, input, t(`portal.urgency_${URGENCIES[at]}`)))),
  };
}

// @ts-check
/** The company's own topics: examples that teach them, their teams, and a box to try them. */

import { fill, h } from "../dom.js";
import { get, post, remove } from "../api.js";
import { button, chip } from "../parts/controls.js";
import { into } from "../parts/states.js";
import { toast } from "../parts/toast.js";
import { may } from "../session.js";
import { number, percent, t } from "../words.js";
import { controls, form, formDialog } from "../parts/forms.js";
import { orNone, teamChoices } from "./lookups.js";
import { ask, head, none, part, table } from "./parts.js";
import { cell, rowsField } from "./rows_field.js";
import { TOPICS } from "./setting_fields.js";
import { settingsForm } from "./settings_form.js";

export function showTopics(/** @type {HTMLElement} */ root) {
  const topics = h("div", { class: "list" });
  const reload = () => into(topics, () => load(reload));
  const add = button(t("admin.topics.teach"), () => teach(reload), { icon: "plus", kind: "primary" });
  root.append(head(t("admin.nav.topics"), t("admin.topics.about"), add), topics, part(t("admin.topics.try"), "", tryTopic()));
  reload();
  if (may("settings.read")) teamChoices().then((teams) => root.append(settingsForm(() => TOPICS, { topic_teams: (value, fixed) => topicTeams(value, fixed, teams) }))).catch(() => {});
}

async function load(/** @type {() => void} */ reload) {
  const rows = (await get("/api/topics")).data;
  if (!rows.length) return none(t("admin.topics.none"), t("admin.topics.none_about"), null, "tag");
  const forget = may("settings.write") && button(t("admin.topics.forget_all"), async () => {
    await ask(t("admin.topics.forget_all"), t("admin.topics.forget_about"), t("admin.topics.forget"), () => remove("/api/topics/examples", { all: true }));
    reload();
  }, { icon: "trash-2" });
  return [table([
    { words: t("admin.topics.topic"), cell: (row) => h("strong", {}, row.topic) },
    { words: t("admin.topics.examples"), kind: "number", cell: (row) => number(row.examples) },
  ], rows, t("admin.nav.topics")), forget ? h("p", { class: "more" }, forget) : null];
}

async function teach(/** @type {() => void} */ reload) {
  const answer = await formDialog(t("admin.topics.teach"), [
    { name: "topic", label: t("admin.topics.topic"), required: true },
    { name: "texts", label: t("admin.topics.texts"), kind: "lines", about: t("admin.topics.texts_about"), required: true },
  ], ({ topic, texts = [] }) => post("/api/topics/examples", texts.length ? { examples: texts.map((/** @type {string} */ text) => ({ text, topic })) } : { topic, text: "" }), { verb: t("admin.topics.teach") });
  if (!answer) return;
  toast(t("common.saved"));
  reload();
}

function tryTopic() {
  const answer = h("p", { role: "status" });
  return h("div", { class: "try card" }, form(controls([{ name: "text", label: t("admin.try.description"), kind: "long" }]), (values) => post("/api/topics/predict", values), { verb: t("admin.try.verb"),
    done: ({ data }) => fill(answer, data.topic ? [chip(data.topic, "violet", "tag"), " ", percent(data.confidence), " ", data.sure ? t("admin.topics.sure") : t("admin.topics.unsure")] : t("admin.topics.none")) }), answer);
}

function topicTeams(/** @type {any[]} */ value, /** @type {boolean} */ fixed, /** @type {any[]} */ teams) {
  return rowsField({
    name: "topic_teams", label: t("admin.setting.topic_teams"), about: t("admin.setting_about.topic_teams"), rows: value, fixed, add: t("admin.topics.add_team"),
    heads: [t("admin.topics.topic"), t("admin.routing.team")], fresh: { topic: "", team: "" },
    make: (row) => {
      const topic = cell(t("admin.topics.topic"), { value: row.topic });
      const team = cell(t("admin.routing.team"), { value: row.team, options: orNone("–", teams) });
      return { cells: [topic, team], read: () => ({ topic: topic.value.trim(), team: team.value }) };
    },
  });
}

// @ts-check
/** Help of the AI with the open ticket: why it is where it is, a summary, a draft, alike tickets, answers to questions. */

import { get, post } from "../api.js";
import { fill, h } from "../dom.js";
import { button, chip, field, time } from "../parts/controls.js";
import { icon } from "../parts/icon.js";
import { into, skeleton } from "../parts/states.js";
import { sources } from "../parts/thread.js";
import { markdown } from "../md.js";
import { may, mayWork } from "../session.js";
import { percent, t, word } from "../words.js";
import { change, fieldName, shownValue } from "./changes.js";
import { isAi } from "./describe.js";
import { section } from "./details.js";
import { draftSection } from "./drafts.js";
import { queueAddress, ticketAddress } from "./places.js";
import { opened } from "./state.js";

export function help() {
  const { ticket } = opened.get();
  return [why(ticket), incident(ticket), mayWork() ? [summary(ticket), draftSection(ticket), similar(ticket), ask(ticket)] : null, knowledge(ticket)];
}

/** Why the ticket is where it is, and what the AI set, each with its former value to go back to. */
function why(/** @type {any} */ ticket) {
  const set = (opened.get().history ?? []).filter((/** @type {any} */ entry) => isAi(entry) && ["priority", "category", "assigned_team", "sentiment"].includes(entry.field)
    && String(ticket[entry.field]) === entry.to && entry.from);
  return section(t("desk.why"),
    h("p", { class: "soft small" }, t("desk.decided_by", { who: word("decider", ticket.triage_source || "rules") })),
    ticket.triage_reasons?.length ? h("ul", { class: "reasons" }, ticket.triage_reasons.map((/** @type {string} */ reason) => h("li", {}, reason))) : null,
    set.map((/** @type {any} */ entry) => h("p", { class: "line between" }, h("span", {}, t("desk.ai_set", { field: fieldName(entry.field), to: shownValue(entry.field, entry.to), from: shownValue(entry.field, entry.from) })),
      mayWork() ? button(t("desk.put_back"), () => change([opened.get().ticket], { set: { [entry.field]: entry.from } }, t("desk.undone")), { icon: "undo-2", kind: "quiet small-button" }) : null)),
    ticket.next_action ? h("p", { class: "notice" }, icon("flag"), h("span", {}, h("strong", {}, t("desk.next_step")), " ", ticket.next_action)) : null);
}

function incident(/** @type {any} */ ticket) {
  if (!ticket.incident_id) return null;
  return h("p", { class: "notice amber" }, icon("layers"), h("span", { class: "grow" }, t("desk.part_of_incident")), h("a", { href: queueAddress("open", { incident: ticket.incident_id }) }, t("desk.show_incident")));
}

function summary(/** @type {any} */ ticket) {
  const place = h("div", {});
  const load = () => into(place, async () => {
    const found = (await post(`/api/tickets/${ticket.id}/summary`)).data;
    const list = (/** @type {string} */ title, /** @type {string[]} */ words) => (words?.length ? [h("h4", {}, title), h("ul", { class: "reasons" }, words.map((one) => h("li", {}, one)))] : null);
    return h("div", { class: "stack tight" }, h("p", {}, found.summary), found.customer_wants ? [h("h4", {}, t("desk.wants")), h("p", {}, found.customer_wants)] : null,
      list(t("desk.tried"), found.tried), list(t("desk.still_open"), found.open_questions), h("p", { class: "soft small" }, t("desk.mood", { mood: word("sentiment", found.mood) }), " · ", word("decider", found.source)));
  }, skeleton(3, "lines"));
  fill(place, button(t("desk.summarise"), load, { icon: "list" }));
  return section(t("desk.summary"), place);
}

function similar(/** @type {any} */ ticket) {
  const place = h("div", {});
  into(place, async () => {
    const { data } = await get(`/api/tickets/${ticket.id}/similar`, { k: 5 });
    if (!data.length) return h("p", { class: "soft small" }, t("desk.no_similar"));
    return h("ul", { class: "stack" }, data.map((/** @type {any} */ one) => h("li", { class: "stack tight" },
      h("span", { class: "line" }, h("a", { href: ticketAddress(one.ticket_id), class: "grow" }, `#${one.number} ${one.title}`), chip(percent(one.score))),
      h("span", { class: "small soft" }, one.resolved_at ? [time(one.resolved_at), " · "] : null, one.resolution))));
  }, skeleton(3, "lines"));
  return section(t("desk.similar"), place);
}

function ask(/** @type {any} */ ticket) {
  const question = field(t("desk.ask_label"), { name: "question", labelHidden: true, placeholder: t("desk.ask_label"), required: true, autocomplete: "off" });
  const place = h("div", { "aria-live": "polite" });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!question.input.value.trim()) return;
    into(place, async () => {
      const found = (await post(`/api/tickets/${ticket.id}/ask`, { question: question.input.value.trim() })).data;
      return [markdown(found.answer, "prose small-prose"), sources(found.citations), h("p", { class: "soft small" }, word("decider", found.source))].filter(Boolean);
    }, skeleton(2, "lines"));
  };
  return section(t("desk.ask"), h("form", { class: "stack tight", onsubmit: submit }, question, button(t("desk.ask"), () => {}, { type: "submit", icon: "circle-question-mark" })), place);
}

function knowledge(/** @type {any} */ ticket) {
  if (!may("knowledge.read")) return null;
  const place = h("div", {});
  into(place, async () => {
    const { data } = await get("/api/search/knowledge", { q: `${ticket.title}`.slice(0, 300), k: 3 });
    return data.length ? h("ul", { class: "stack" }, data.map((/** @type {any} */ hit) => h("li", {}, h("details", {}, h("summary", {}, hit.title), markdown(hit.passage ?? hit.text ?? hit.body ?? "", "prose small-prose")))))
      : h("p", { class: "soft small" }, t("desk.no_knowledge"));
  }, skeleton(2, "lines"));
  return section(t("desk.knowledge"), place);
}

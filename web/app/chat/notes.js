// @ts-check
/** What stands around the messages of the chat: who answers, notes above them, and boxes below them. */

import { h } from "../dom.js";
import { button, field } from "../parts/controls.js";
import { icon } from "../parts/icon.js";
import { ratingBox } from "../parts/rating.js";
import { failed, skeleton } from "../parts/states.js";
import { kept } from "../state.js";
import { t } from "../words.js";

const isAgents = (/** @type {any} */ message) => message.role === "agent";

/** Whether an agent wrote in the conversation. */
export const hasAgent = (/** @type {any} */ state) => state.messages.some(isAgents);

export function whoAnswers(/** @type {any} */ options, /** @type {any} */ state, /** @type {boolean} */ over) {
  if (over) return t("chat.over");
  const agent = state.messages.findLast(isAgents);
  if (state.escalation) return agent?.author_name ? t("chat.with_name", { name: agent.author_name }) : t("chat.with_person");
  return options.opens ? t("chat.assistant_closed", { opens: options.opens }) : t("chat.assistant_open");
}

export const notesAbout = (/** @type {any} */ state, /** @type {any} */ who, /** @type {any} */ talk) => [
  who.isStaff ? h("p", { class: "notice amber" }, icon("eye"), t("chat.staff")) : null,
  state.loading ? skeleton(3) : null,
  state.error ? failed(state.error, talk.begin) : null,
  !state.loading && !state.messages.length && !state.unsent.length ? h("div", { class: "state" }, icon("messages-square"), h("h2", {}, t("chat.hello")), h("p", {}, t("chat.hello_about"))) : null,
];

/** Guests may leave an address for the case that they must go. `done` takes the focus back. */
export function addressBox(/** @type {any} */ options, /** @type {any} */ state, /** @type {any} */ talk, /** @type {() => void} */ done) {
  const name = `chat.address.${state.id}`;
  if (kept.get(name) || hasAgent(state)) return null;
  const email = field(t("chat.address"), { name: "email", type: "email", autocomplete: "email", about: options.opens ? t("chat.address_closed", { opens: options.opens }) : t("chat.address_about") });
  const box = h("form", { class: "card stack tight", novalidate: true, onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    const address = email.input.value.trim();
    if (!/^\S+@\S+\.\S+$/.test(address)) { email.showError(t("chat.address_wrong")); return email.input.focus(); }
    kept.set(name, "given");
    talk.say(t("chat.address_said", { email: address }), { email: address });
    box.remove();
    return done();
  } }, email, h("div", {}, button(t("chat.address_leave"), () => {}, { type: "submit" })));
  return box;
}

/** After the end: rate it, or begin anew. */
export const overBox = (/** @type {string} */ id, /** @type {any} */ talk, /** @type {() => void} */ done) => [
  h("p", { class: "notice green" }, icon("circle-check"), t("chat.over_note")), ratingBox(id),
  h("div", {}, button(t("chat.anew"), () => { talk.startAnew(); done(); }, { icon: "plus" })),
];

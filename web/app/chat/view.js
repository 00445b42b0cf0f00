// @ts-check
/** What the chat shows: who answers, the messages, what is not sent yet, and the field to write in. */

import { fill, h, updateList } from "../dom.js";
import { button, companyName, field, linkButton } from "../parts/controls.js";
import { draftOf } from "../parts/draft.js";
import { filePicker } from "../parts/files.js";
import { icon } from "../parts/icon.js";
import { ratingBox } from "../parts/rating.js";
import { failed, skeleton } from "../parts/states.js";
import { toastError } from "../parts/toast.js";
import { kept } from "../state.js";
import { t } from "../words.js";
import { conversation } from "./conversation.js";
import { closeFrame, framed } from "./in_frame.js";
import { chatMessage, unsentMessage } from "./message.js";

/** @param {any} options What GET /api/auth/options says. @param {{isGuest: boolean, isStaff: boolean}} who */
export function chatView(options, who) {
  const talk = conversation(options, who);
  const heading = h("h1", {}, companyName(options.name, t("portal.title"))), answers = h("p", { class: "soft small", role: "status" });
  const person = button(t("chat.person"), () => askForAPerson(), { icon: "hand" });
  const end = button(t("chat.end_short"), () => talk.close().catch(toastError), { kind: "quiet", hidden: true, "aria-label": t("chat.end") });
  const head = h("header", { class: "chat-head" }, h("div", { class: "grow" }, heading, answers), end,
    framed ? button(t("common.close"), closeFrame, { icon: "chevron-down", kind: "quiet", iconOnly: true }) : linkButton(t("frame.portal"), `/portal?${new URLSearchParams({ company: options.company })}`, { kind: "quiet" }));
  const notes = h("div", { class: "stack tight" }), log = h("div", { class: "thread", role: "log", "aria-live": "polite", "aria-label": t("chat.messages"), tabindex: "0" });
  const waiting = h("p", { class: "soft typing", role: "status" }), after = h("div", { class: "stack tight" });
  const scroller = h("div", { class: "chat-scroll" }, notes, log, waiting, after);
  const text = field(t("chat.write"), { tag: "textarea", name: "message", rows: 1, maxlength: 20000, labelHidden: true, placeholder: t("chat.write"), onkeydown });
  const draft = draftOf(text.input, `chat.${options.company}`);
  const files = filePicker({ iconOnly: true });
  const form = h("form", { class: "chat-form", onsubmit, novalidate: true }, files.opener, text, button(t("chat.send"), () => {}, { kind: "primary", type: "submit", icon: "send", iconOnly: true }));
  const askedWords = h("span", {}), asked = h("p", { class: "soft line", hidden: true }, icon("hand"), askedWords);
  const foot = h("footer", { class: "chat-foot" }, files.list, form, h("div", { class: "line between" }, person, asked, h("span", { class: "soft small" }, t("chat.keys"))));

  files.takeFrom(foot);

  function onkeydown(/** @type {KeyboardEvent} */ event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  }

  function onsubmit(/** @type {Event} */ event) {
    event.preventDefault();
    say(text.input.value.trim());
    return text.input.focus();
  }

  function askForAPerson() {
    say(text.input.value.trim() || t("chat.person_words"), true);
    text.input.focus();
  }

  function say(/** @type {string} */ words, person = false) {
    const chosen = files.chosen();
    if (!words && !chosen.length) return;
    draft.clear();
    files.clear();
    talk.say(words || t("chat.only_files", { n: chosen.length }), { person, files: chosen });
  }

  let drawn = "";
  talk.state.subscribe((state) => {
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
    const rows = [...state.messages.map((one) => ({ ...one, rowKey: one.id })), ...state.unsent.map((one) => ({ ...one, rowKey: one.key, unsent: true }))];
    updateList(log, rows, (one) => one.rowKey, (one) => (one.unsent ? unsentMessage(one, () => talk.send(one), () => talk.forget(one.key)) : chatMessage(one)),
      (one) => JSON.stringify([one.body, one.failed, one.why, one.citations, one.attachments?.length, one.files?.map((/** @type {any} */ file) => [file.id, file.share])]));
    const over = talk.isOver(), isWaiting = state.sending && !state.unsent.at(-1)?.failed;
    waiting.textContent = isWaiting ? (state.escalation ? t("chat.sending") : t("chat.typing")) : "";
    answers.textContent = whoAnswers(state, over);
    person.hidden = state.escalation && !over;
    asked.hidden = !person.hidden;
    askedWords.textContent = state.messages.some((one) => one.role === "agent") ? whoAnswers(state, false) : t("chat.asked");
    end.hidden = !state.id || over || !state.messages.length;
    const shape = JSON.stringify([state.id, over, state.escalation, state.loading, state.error?.message, state.messages.length > 0, state.messages.some((one) => one.role === "agent")]);
    if (shape !== drawn) {
      drawn = shape;
      fill(notes, noteAbout(state));
      fill(after, over ? overBox(state.id) : state.escalation ? addressBox(state) : null);
    }
    if (atEnd || state.sending) scroller.scrollTop = scroller.scrollHeight;
  });

  function whoAnswers(/** @type {any} */ state, /** @type {boolean} */ over) {
    if (over) return t("chat.over");
    const agent = state.messages.findLast((/** @type {any} */ one) => one.role === "agent");
    if (state.escalation) return agent?.author_name ? t("chat.with_name", { name: agent.author_name }) : t("chat.with_person");
    return options.opens ? t("chat.assistant_closed", { opens: options.opens }) : t("chat.assistant_open");
  }

  function noteAbout(/** @type {any} */ state) {
    return [
      who.isStaff ? h("p", { class: "notice amber" }, icon("eye"), t("chat.staff")) : null,
      state.loading ? skeleton(3) : null,
      state.error ? failed(state.error, talk.begin) : null,
      !state.loading && !state.messages.length && !state.unsent.length ? h("div", { class: "state" }, icon("messages-square"), h("h2", {}, t("chat.hello")), h("p", {}, t("chat.hello_about"))) : null,
    ];
  }

  /** Guests may leave an address for the case that they must go. */
  function addressBox(/** @type {any} */ state) {
    const name = `chat.address.${state.id}`;
    if (!who.isGuest || kept.get(name) || state.messages.some((/** @type {any} */ one) => one.role === "agent")) return null;
    const email = field(t("chat.address"), { name: "email", type: "email", autocomplete: "email", about: options.opens ? t("chat.address_closed", { opens: options.opens }) : t("chat.address_about") });
    const box = h("form", { class: "card stack tight", novalidate: true, onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      if (!/^\S+@\S+\.\S+$/.test(email.input.value.trim())) { email.showError(t("chat.address_wrong")); return email.input.focus(); }
      kept.set(name, "given");
      talk.say(t("chat.address_said", { email: email.input.value.trim() }), { email: email.input.value.trim() });
      box.remove();
      return text.input.focus();
    } }, email, h("div", {}, button(t("chat.address_leave"), () => {}, { type: "submit" })));
    return box;
  }

  const overBox = (/** @type {string} */ id) => [
    h("p", { class: "notice green" }, icon("circle-check"), t("chat.over_note")), ratingBox(id),
    h("div", {}, button(t("chat.anew"), () => { talk.startAnew(); text.input.focus(); }, { icon: "plus" })),
  ];

  return {
    element: h("main", { id: "main", class: "chat-page" }, head, scroller, foot),
    end: talk.end,
    /** Loads what was said, and asks the question that the portal sent along. */
    async begin() {
      await talk.begin();
      scroller.scrollTop = scroller.scrollHeight;
      const question = kept.get("chat.question");
      kept.set("chat.question", "");
      if (question) await talk.say(question, { person: true });
      else text.input.focus();
    },
  };
}

// @ts-check
/** What the chat shows: who answers, the messages, what is not sent yet, and the field to write in. */

import { fill, h, updateList } from "../dom.js";
import { button, companyName, field, linkButton } from "../parts/controls.js";
import { draftOf } from "../parts/draft.js";
import { filePicker } from "../parts/files.js";
import { icon } from "../parts/icon.js";
import { toastError } from "../parts/toast.js";
import { kept } from "../state.js";
import { t } from "../words.js";
import { conversation } from "./conversation.js";
import { closeFrame, framed } from "./in_frame.js";
import { chatMessage, unsentMessage } from "./message.js";
import { addressBox, hasAgent, notesAbout, overBox, whoAnswers } from "./notes.js";

/** @param {any} options What GET /api/auth/options says. @param {{isGuest: boolean, isStaff: boolean}} who */
export function chatView(options, who) {
  const talk = conversation(options, who);
  const { element, scroller, log, text, files, form, shown } = layout(options, { askForAPerson: () => askForAPerson(), end: () => talk.close().catch(toastError), onkeydown, onsubmit });
  const draft = draftOf(text.input, `chat.${options.company}`);
  const focus = () => text.input.focus();

  function onkeydown(/** @type {KeyboardEvent} */ event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  }

  function onsubmit(/** @type {Event} */ event) {
    event.preventDefault();
    say(text.input.value.trim());
    return focus();
  }

  function askForAPerson() {
    say(text.input.value.trim() || t("chat.person_words"), true);
    focus();
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
    drawMessages(log, state, talk);
    const over = talk.isOver(), isWaiting = state.sending && !state.unsent.at(-1)?.failed;
    shown.waiting.textContent = isWaiting ? (state.escalation ? t("chat.sending") : t("chat.typing")) : "";
    shown.answers.textContent = whoAnswers(options, state, over);
    shown.person.hidden = state.escalation && !over;
    shown.asked.hidden = !shown.person.hidden;
    shown.askedWords.textContent = hasAgent(state) ? whoAnswers(options, state, false) : t("chat.asked");
    shown.end.hidden = !state.id || over || !state.messages.length;
    const shape = JSON.stringify([state.id, over, state.escalation, state.loading, state.error?.message, state.messages.length > 0, hasAgent(state)]);
    if (shape !== drawn) {
      drawn = shape;
      fill(shown.notes, notesAbout(state, who, talk));
      fill(shown.after, over ? overBox(state.id, talk, focus) : state.escalation && who.isGuest ? addressBox(options, state, talk, focus) : null);
    }
    if (atEnd || state.sending) scroller.scrollTop = scroller.scrollHeight;
  });

  return {
    element,
    end: talk.end,
    /** Loads what was said, and asks the question that the portal sent along. */
    async begin() {
      await talk.begin();
      scroller.scrollTop = scroller.scrollHeight;
      const question = kept.get("chat.question");
      kept.set("chat.question", "");
      if (question) await talk.say(question, { person: true });
      else focus();
    },
  };
}

/** @typedef {{askForAPerson: () => void, end: () => void, onkeydown: (event: KeyboardEvent) => void, onsubmit: (event: Event) => void}} Acts */

/** The elements of the page. `shown` are those whose words or visibility follow the conversation. */
function layout(/** @type {any} */ options, /** @type {Acts} */ acts) {
  const heading = h("h1", {}, companyName(options.name, t("portal.title"))), answers = h("p", { class: "soft small", role: "status" });
  const person = button(t("chat.person"), acts.askForAPerson, { icon: "hand" });
  const end = button(t("chat.end_short"), acts.end, { kind: "quiet", hidden: true, "aria-label": t("chat.end") });
  const head = h("header", { class: "chat-head" }, h("div", { class: "grow" }, heading, answers), end, wayOut(options));
  const notes = h("div", { class: "stack tight" }), log = h("div", { class: "thread", role: "log", "aria-live": "polite", "aria-label": t("chat.messages"), tabindex: "0" });
  const waiting = h("p", { class: "soft typing", role: "status" }), after = h("div", { class: "stack tight" });
  const scroller = h("div", { class: "chat-scroll" }, notes, log, waiting, after);
  const text = field(t("chat.write"), { tag: "textarea", name: "message", rows: 1, maxlength: 20000, labelHidden: true, placeholder: t("chat.write"), onkeydown: acts.onkeydown });
  const files = filePicker({ iconOnly: true });
  const form = h("form", { class: "chat-form", onsubmit: acts.onsubmit, novalidate: true }, files.opener, text, button(t("chat.send"), () => {}, { kind: "primary", type: "submit", icon: "send", iconOnly: true }));
  const askedWords = h("span", {}), asked = h("p", { class: "soft line", hidden: true }, icon("hand"), askedWords);
  const foot = h("footer", { class: "chat-foot" }, files.list, form, h("div", { class: "line between" }, person, asked, h("span", { class: "soft small" }, t("chat.keys"))));
  files.takeFrom(foot);
  const element = h("main", { id: "main", class: "chat-page" }, head, scroller, foot);
  return { element, scroller, log, text, files, form, shown: { answers, person, end, notes, waiting, after, asked, askedWords } };
}

const wayOut = (/** @type {any} */ options) => (framed ? button(t("common.close"), closeFrame, { icon: "chevron-down", kind: "quiet", iconOnly: true })
  : linkButton(t("frame.portal"), `/portal?${new URLSearchParams({ company: options.company })}`, { kind: "quiet" }));

/** The messages, and below them those that are not sent yet. */
function drawMessages(/** @type {any} */ log, /** @type {any} */ state, /** @type {any} */ talk) {
  const rows = [...state.messages.map((/** @type {any} */ one) => ({ ...one, rowKey: one.id })), ...state.unsent.map((/** @type {any} */ one) => ({ ...one, rowKey: one.key, unsent: true }))];
  updateList(log, rows, (one) => one.rowKey, (one) => (one.unsent ? unsentMessage(one, () => talk.send(one), () => talk.forget(one.key)) : chatMessage(one)),
    (one) => JSON.stringify([one.body, one.failed, one.why, one.citations, one.attachments?.length, one.files?.map((/** @type {any} */ file) => [file.id, file.share])]));
}

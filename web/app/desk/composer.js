// @ts-check
/** Where replies, notes and resolutions are written. Every pause keeps the text in this tab, by ticket. */

import { fill, h, later } from "../dom.js";
import { button } from "../parts/controls.js";
import { menu } from "../parts/dialog.js";
import { filePicker } from "../parts/files.js";
import { icon } from "../parts/icon.js";
import { toast } from "../parts/toast.js";
import { may } from "../session.js";
import { isOpen } from "../values.js";
import { t } from "../words.js";
import { offerMacros } from "./macros.js";
import { missed, noteDraft } from "./missed.js";
import { hold } from "./outbox.js";
import { backToQueue, openTicket } from "./places.js";
import { say } from "./presence.js";
import { desk, draftOf, filesOfDraft, forgetLostFiles, keepDraft, keepFiles, lasting, lostFiles, neighbour, opened } from "./state.js";
import { showMessage } from "./thread_pane.js";

const MODES = /** @type {[string, string][]} */ ([["reply", "send"], ["note", "lock"], ["resolve", "circle-check"]]);

export function composer() {
  let mode = "reply", next = false, id = "";
  const files = filePicker({ iconOnly: true, changed: (chosen) => { keepFiles(id, chosen); showLost(); } });
  const { element, tabs, text, lost, submit, more } = layout(files, { send: () => send(), more: () => moreWays(), macro: () => offerMacros(id, insert) });
  files.takeFrom(element);

  const keepText = () => { if (id) { keepDraft(id, { mode, body: text.value }); noteDraft(id, text.value); } };
  const keepSoon = later(() => { keepText(); redrawRows(); }, 400);
  text.addEventListener("input", () => { keepText(); keepSoon(); say(text.value.trim() && mode !== "note" ? "replying" : "viewing"); });

  /** Says which files a reload took away, until others are chosen or somebody knows. */
  function showLost() {
    const names = id && lostFiles(id);
    lost.hidden = !names;
    fill(lost, names ? [t("desk.files_lost", { names }), " ", button(t("common.close"), () => { forgetLostFiles(id); showLost(); text.focus(); }, { kind: "quiet small-button" })] : null);
  }

  function setMode(/** @type {string} */ wanted, /** @type {{focus?: boolean, next?: boolean}} */ { focus = true, next: goOn = false } = {}) {
    mode = wanted;
    next = goOn;
    element.dataset.mode = mode;
    fill(tabs, MODES.map(([name, sign]) => h("button", { type: "button", class: "mode", "aria-pressed": String(name === mode), onclick: () => setMode(name) }, icon(sign), t(`desk.mode_${name}`))));
    text.setAttribute("aria-label", t(`desk.mode_${mode}`));
    text.placeholder = t(`desk.hint_${mode}`);
    fill(submit, icon(MODES.find(([name]) => name === mode)?.[1] ?? "send"), t(`desk.verb_${next && mode === "resolve" ? "resolve_next" : mode}`));
    more.hidden = mode !== "reply";
    keepText();
    if (focus) text.focus();
  }

  function show() {
    const draft = draftOf(id);
    text.value = draft.body;
    files.set(filesOfDraft(id));
    setMode(draft.body ? draft.mode : "reply", { focus: false });
  }

  function send(ending = mode, goOn = next, anyway = false) {
    const { ticket, replies } = opened.get(), body = text.value.trim();
    if (!ticket || ticket.id !== id) return;
    if (!body) { toast(t("desk.write_first")); text.focus(); return; }
    const others = missed();
    if (others.length && !anyway) { askBefore(others, () => send(ending, goOn, true)); return; }
    if (opened.get().conflict?.verb) opened.set({ conflict: null });
    hold({ ticketId: id, number: ticket.number, mode: ending, body, version: ticket.version, known: replies.length, chat: ticket.source === "chat", files: files.chosen() });
    const after = goOn ? neighbour(id, 1) : null;
    keepDraft(id, { mode: "reply", body: "" });
    keepFiles(id, []);
    forgetLostFiles(id);
    say("viewing");
    show();
    if (goOn && after) openTicket(after.id);
    else if (goOn) backToQueue();
    else focusThread();
  }

  function moreWays() {
    menu(more, [
      { words: t("desk.send_resolve"), run: () => send("resolve", false) },
      { words: t("desk.send_resolve_next"), run: () => send("resolve", true) },
    ]);
  }

  function insert(/** @type {string} */ words) {
    const { selectionStart, selectionEnd, value } = text;
    const before = value.slice(0, selectionStart), gap = before && !before.endsWith("\n") ? "\n\n" : "";
    text.value = before + gap + words + value.slice(selectionEnd);
    keepText();
    keepSoon();
    text.focus();
  }

  const onCompose = (/** @type {any} */ event) => {
    const { mode: wanted = "reply", body, next: goOn, act } = event.detail;
    if (act === "macro") offerMacros(id, insert);
    else if (act === "send") send();
    else if (act === "send_resolve") send("resolve", next);
    else {
      setMode(wanted, { next: goOn });
      if (body) insert(body);
    }
  };
  const onDraft = (/** @type {any} */ event) => { if (event.detail.ticketId === id) show(); redrawRows(); };
  onDocument("desk:compose", onCompose);
  onDocument("desk:draft", onDraft);
  lasting(desk.subscribe(({ ticketId }) => { if (ticketId !== id) { id = ticketId; show(); } }));
  lasting(opened.subscribe(({ ticket }) => {
    if (ticket?.id === id) noteDraft(id, text.value);
    element.hidden = !ticket || !may("replies.write") || Boolean(ticket.merged_into);
    const resolveTab = /** @type {any} */ (tabs.lastElementChild);
    if (resolveTab && ticket) resolveTab.hidden = !isOpen(ticket) || !may("tickets.work");
  }));
  return element;
}

/**
 * The form: kinds of text, the field, lost files, and what sends it.
 * @param {any} files The file picker. @param {{send: () => void, more: () => void, macro: () => void}} acts
 */
function layout(files, acts) {
  const tabs = h("div", { class: "line modes", role: "group", "aria-label": t("desk.kind_of_text") });
  const text = h("textarea", { id: "words", rows: "3", "aria-label": t("desk.mode_reply"), "aria-keyshortcuts": "Control+Enter" });
  const lost = h("p", { class: "notice amber small", hidden: true });
  const submit = button("", acts.send, { kind: "primary", keys: "Control+Enter" });
  const more = button(t("desk.send_more"), acts.more, { icon: "chevron-down", iconOnly: true, kind: "primary" });
  const tools = h("div", { class: "line between" },
    h("div", { class: "line" }, button(t("desk.macro"), acts.macro, { icon: "play", kind: "quiet", keys: "m" }), files.opener),
    h("div", { class: "line split" }, submit, more));
  text.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape") { event.preventDefault(); text.blur(); focusThread(); } });
  const element = h("form", { class: "composer", onsubmit: (/** @type {Event} */ event) => event.preventDefault() }, tabs, text, lost, files.list, tools);
  return { element, tabs, text, lost, submit, more };
}

/** @returns {any} */
const focusThread = () => /** @type {any} */ (document.querySelector(".ticket-scroll"))?.focus();

/** The rows of the queue say which tickets have a draft. */
const redrawRows = () => desk.set({ rows: [...desk.get().rows] });

/** Listens for as long as the desk is shown. */
function onDocument(/** @type {string} */ name, /** @type {(event: any) => void} */ listener) {
  document.addEventListener(name, listener);
  lasting(() => document.removeEventListener(name, listener));
}

/** Shows what others wrote meanwhile, before anything is sent. */
function askBefore(/** @type {any[]} */ others, /** @type {() => void} */ keep) {
  const last = others.at(-1);
  opened.set({ conflict: { text: t("desk.wrote_meanwhile", { who: last.author_name || last.author_email }), verb: t("desk.send_anyway"), keep, other: t("desk.keep_editing") } });
  showMessage(others[0].id);
}

/** Tells the composer of the open ticket to take a text, or to do something. */
export const compose = (/** @type {any} */ detail) => document.dispatchEvent(new CustomEvent("desk:compose", { detail }));

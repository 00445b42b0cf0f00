// @ts-check
/** Where replies, notes and resolutions are written. Every pause keeps the text in this tab, by ticket. */

import { get, post } from "../api.js";
import { fill, h, later } from "../dom.js";
import { choose } from "../parts/choose.js";
import { button } from "../parts/controls.js";
import { confirm, menu } from "../parts/dialog.js";
import { filePicker } from "../parts/files.js";
import { icon } from "../parts/icon.js";
import { toast, toastError } from "../parts/toast.js";
import { may } from "../session.js";
import { isOpen } from "../values.js";
import { t } from "../words.js";
import { noMacros } from "./actions.js";
import { change, fieldName, shownValue } from "./changes.js";
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
  const tabs = h("div", { class: "line modes", role: "group", "aria-label": t("desk.kind_of_text") });
  const text = h("textarea", { id: "words", rows: "3", "aria-label": t("desk.mode_reply"), "aria-keyshortcuts": "Control+Enter" });
  const lost = h("p", { class: "notice amber small", hidden: true });
  const submit = button("", () => send(), { kind: "primary", keys: "Control+Enter" });
  const more = button(t("desk.send_more"), () => moreWays(), { icon: "chevron-down", iconOnly: true, kind: "primary" });
  const tools = h("div", { class: "line between" },
    h("div", { class: "line" }, button(t("desk.macro"), () => macros(), { icon: "play", kind: "quiet", keys: "m" }),
      files.opener),
    h("div", { class: "line split" }, submit, more));
  const element = h("form", { class: "composer", onsubmit: (/** @type {Event} */ event) => event.preventDefault() }, tabs, text, lost, files.list, tools);
  files.takeFrom(element);

  const keepText = () => { if (id) { keepDraft(id, { mode, body: text.value }); noteDraft(id, text.value); } };
  const keepSoon = later(() => { keepText(); desk.set({ rows: [...desk.get().rows] }); }, 400);
  text.addEventListener("input", () => { keepText(); keepSoon(); say(text.value.trim() && mode !== "note" ? "replying" : "viewing"); });
  text.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape") { event.preventDefault(); text.blur(); /** @type {any} */ (document.querySelector(".ticket-scroll"))?.focus(); } });

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
    else /** @type {any} */ (document.querySelector(".ticket-scroll"))?.focus();
  }

  /** Shows what others wrote meanwhile, before anything is sent. */
  function askBefore(/** @type {any[]} */ others, /** @type {() => void} */ keep) {
    const last = others.at(-1);
    opened.set({ conflict: { text: t("desk.wrote_meanwhile", { who: last.author_name || last.author_email }), verb: t("desk.send_anyway"), keep, other: t("desk.keep_editing") } });
    showMessage(others[0].id);
  }

  function moreWays() {
    menu(more, [
      { words: t("desk.send_resolve"), run: () => send("resolve", false) },
      { words: t("desk.send_resolve_next"), run: () => send("resolve", true) },
    ]);
  }

  /** Shows what a macro would say and set, then inserts its words, or does all of it. */
  async function macros() {
    try {
      const { data } = await get("/api/macros", { limit: 200 });
      if (!data.length) { await noMacros(); return; }
      await choose(t("desk.macro"), data.map((/** @type {any} */ macro) => ({ words: macro.name, about: macro.body.slice(0, 80), run: () => preview(macro) })));
    } catch (error) { toastError(error); }
  }

  async function preview(/** @type {any} */ macro) {
    try {
      const shown = (await post(`/api/tickets/${encodeURIComponent(id)}/macro`, { macro_id: macro.id })).data;
      const sets = Object.entries(shown.set ?? {});
      if (shown.body) insert(shown.body);
      if (!sets.length) return;
      const words = sets.map(([name, value]) => `${fieldName(name)}: ${shownValue(name, value)}`).join(", ");
      const { ticket } = opened.get();
      if (ticket && await confirm(macro.name, t("desk.macro_sets", { what: words }), t("desk.set_these"))) await change([ticket], { set: shown.set }, t("desk.macro_used", { what: `#${ticket.number}`, name: macro.name }));
    } catch (error) { toastError(error); }
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
    if (act === "macro") macros();
    else if (act === "send") send();
    else if (act === "send_resolve") send("resolve", next);
    else {
      setMode(wanted, { next: goOn });
      if (body) insert(body);
    }
  };
  const onDraft = (/** @type {any} */ event) => { if (event.detail.ticketId === id) show(); desk.set({ rows: [...desk.get().rows] }); };
  document.addEventListener("desk:compose", onCompose);
  document.addEventListener("desk:draft", onDraft);
  lasting(() => { document.removeEventListener("desk:compose", onCompose); document.removeEventListener("desk:draft", onDraft); });
  lasting(desk.subscribe(({ ticketId }) => { if (ticketId !== id) { id = ticketId; show(); } }));
  lasting(opened.subscribe(({ ticket }) => {
    if (ticket?.id === id) noteDraft(id, text.value);
    element.hidden = !ticket || !may("replies.write") || Boolean(ticket.merged_into);
    const resolveTab = /** @type {any} */ (tabs.lastElementChild);
    if (resolveTab && ticket) resolveTab.hidden = !isOpen(ticket) || !may("tickets.work");
  }));
  return element;
}

/** Tells the composer of the open ticket to take a text, or to do something. */
export const compose = (/** @type {any} */ detail) => document.dispatchEvent(new CustomEvent("desk:compose", { detail }));

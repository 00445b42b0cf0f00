// @ts-check
/** The page of customers: search, my tickets, one ticket, a new one. */

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { bar, startPage } from "../parts/frame.js";
import { offlineBar } from "../parts/states.js";
import { linkButton } from "../parts/controls.js";
import { announce, startRouting } from "../route.js";
import { mayWork } from "../session.js";
import { t } from "../words.js";
import { guestReader } from "./guest.js";
import { homePage } from "./home.js";
import { newPage } from "./new.js";
import { chatAddress } from "./places.js";
import { searchBox } from "./search.js";
import { ticketPage } from "./ticket.js";

/** @type {() => void} */
let leave = () => {};
let first = true;

startPage({ title: t("portal.sign_in"), show, outside, level: "h2" });

/** What somebody sees who is not signed in: the way to sign in, and where guests are taken the search and the way to the chat. */
function outside(/** @type {any} */ form) {
  const chat = h("span", {}), search = h("div", {}), head = bar({ links: [{ href: "/portal", words: t("portal.home"), current: true }], extra: chat, who: null });
  const query = { company: new URLSearchParams(location.search).get("company") ?? "" };
  get("/api/auth/options", query, { anonymous: true }).then(({ data }) => {
    if (!data.chat_guests) return;
    fill(chat, linkButton(t("portal.chat_as_guest"), `/chat?${new URLSearchParams({ company: data.company })}`, { icon: "message-circle", kind: "quiet" }));
    fill(search, searchBox({ read: guestReader(data.company), open: () => openAfterSignIn(form) }));
  }).catch(() => { /* The form says what is wrong. */ });
  return [offlineBar(), head, h("main", { id: "main", class: "portal-main" }, h("header", { class: "portal-hello" }, h("h1", {}, t("portal.hello")), search), form)];
}

/** A ticket needs somebody to answer to: after signing in the page for a new one is here, with the question. */
function openAfterSignIn(/** @type {any} */ form) {
  history.replaceState({}, "", `/portal/new${location.search}`);
  form.querySelector(".sign-in-first")?.remove();
  form.querySelector("h2")?.after(h("p", { class: "notice sign-in-first", role: "status" }, t("portal.sign_in_first")));
  form.querySelector("input")?.focus();
}

function show(/** @type {HTMLElement} */ root) {
  const main = h("main", { id: "main", class: "portal-main" });
  const links = [
    { href: "/portal", words: t("portal.home") },
    { href: chatAddress(), words: t("frame.chat") },
    ...(mayWork() ? [{ href: "/desk", words: t("frame.desk") }] : []),
  ];
  fill(root, offlineBar(), bar({ links }), main);
  startRouting("/portal", ({ path }) => {
    leave();
    const [what, id] = path;
    const staff = mayWork() && h("div", { class: "notice amber" }, t("portal.for_customers"), " ", linkButton(t("frame.desk"), "/desk"));
    const { title, content, close } = /** @type {{title: string, content: any, close?: () => void}} */ (what === "tickets" && id ? ticketPage(id) : what === "new" && !mayWork() ? newPage() : homePage());
    leave = close ?? (() => {});
    fill(main, staff, content);
    announce(title, !first);
    if (!first) scrollTo(0, 0);
    first = false;
  });
}

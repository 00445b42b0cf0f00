// @ts-check
/** The page of customers: search, my tickets, one ticket, a new one. */

import { fill, h } from "../dom.js";
import { bar, offlineBar, startPage } from "../parts/frame.js";
import { linkButton } from "../parts/controls.js";
import { announce, startRouting } from "../route.js";
import { mayWork } from "../session.js";
import { t } from "../words.js";
import { homePage } from "./home.js";
import { newPage } from "./new.js";
import { chatAddress } from "./places.js";
import { ticketPage } from "./ticket.js";

/** @type {() => void} */
let leave = () => {};
let first = true;

startPage({ title: t("portal.sign_in"), show });

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

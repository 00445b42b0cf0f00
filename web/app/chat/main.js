// @ts-check
/** The chat, as a page of its own or in a frame of another site. Who is signed in as a customer chats as themself, others as a guest. */

import { get, identify } from "../api.js";
import { fill, h } from "../dom.js";
import { companyName } from "../parts/controls.js";
import { applyTheme } from "../parts/frame.js";
import { signInForm } from "../parts/sign_in.js";
import { failed, offlineBar, skeleton } from "../parts/states.js";
import { callAsGuest, mayWork, session, takeFragment } from "../session.js";
import { t } from "../words.js";
import { chatView } from "./view.js";
import { framed, startFrame } from "./in_frame.js";

const root = /** @type {HTMLElement} */ (document.getElementById("page"));
const company = new URLSearchParams(location.search).get("company") ?? "";

async function start() {
  fill(root, h("main", { class: "chat-page" }, skeleton(3)));
  try {
    const [{ data: options }] = await Promise.all([get("/api/auth/options", { company }, { anonymous: true }), identify()]);
    root.removeAttribute("aria-busy");
    document.title = companyName(options.name, "") ? t("chat.title", { company: options.name }) : t("frame.chat");
    const { me } = session.get();
    const isCustomer = me && !mayWork() && me.company?.name === options.company;
    if (!isCustomer && !options.chat_guests) return ask(options);
    if (!isCustomer) callAsGuest(options.company);
    return open(options, { isGuest: !isCustomer, isStaff: Boolean(me) && mayWork() });
  } catch (error) {
    return fill(root, h("main", { class: "chat-page" }, failed(error, start)));
  }
}

function ask(/** @type {any} */ options) {
  fill(root, h("main", {}, signInForm({ title: t("chat.sign_in"), company: options.company, done: start, note: mayWork() ? t("chat.no_guests") : "" })));
}

function open(/** @type {any} */ options, /** @type {any} */ who) {
  const view = chatView(options, who);
  fill(root, offlineBar(), view.element);
  view.begin();
  if (who.isGuest) return;
  const unsubscribe = session.subscribe(({ me }, before) => {
    if (!before.me || me) return;
    unsubscribe();
    view.end();
    ask(options);
  });
}

applyTheme();
if (framed) document.documentElement.classList.add("framed");
startFrame(takeFragment());
start();

// @ts-check
/** The front page: for a visitor help and signing in, for the person who set it up the first three steps. */

import { get, identify, post, signOut } from "../api.js";
import { fill, h } from "../dom.js";
import { button, linkButton } from "../parts/controls.js";
import { applyTheme, languageItems, themeItems } from "../parts/frame.js";
import { menu } from "../parts/dialog.js";
import { icon } from "../parts/icon.js";
import { failed } from "../parts/states.js";
import { toast, toastError } from "../parts/toast.js";
import { credentials, may, mayWork, session, takeFragment } from "../session.js";
import { t, word } from "../words.js";

const root = /** @type {HTMLElement} */ (document.getElementById("page"));

async function start() {
  try {
    await identify();
    show();
  } catch (error) {
    fill(root, h("main", {}, failed(error, start)));
  }
}

function show() {
  const { me, ended } = session.get();
  root.removeAttribute("aria-busy");
  fill(root, head(), h("main", { id: "main", class: "home-main" },
    ended ? h("p", { class: "notice amber" }, t("signin.refused")) : null,
    h("h1", {}, me ? t("home.welcome") : t("home.help")), h("p", { class: "lead soft" }, me ? t("home.what") : t("home.help_lead")),
    me ? null : h("p", { class: "line" }, linkButton(t("home.to_portal"), "/portal", { kind: "primary", icon: "life-buoy" }), linkButton(t("home.to_chat"), "/chat", { icon: "message-circle" })),
    me && may("settings.write") ? steps() : null,
    me && may("settings.write") ? serverCard() : null,
    me ? null : h("p", { class: "soft small" }, t("home.for_staff"), " ", h("a", { href: "/desk" }, t("home.sign_in")))));
}

function head() {
  const { me } = session.get();
  const pages = [["/desk", "desk", mayWork()], ["/admin", "admin", may("stats.read")], ["/portal", "portal", true], ["/chat", "chat", true], ["/docs", "api", Boolean(me)]];
  const look = button(t("home.look"), () => menu(look, [...themeItems(), ...languageItems()]), { icon: "sun", kind: "quiet", iconOnly: true });
  return h("header", { class: "bar" }, h("a", { class: "skip", href: "#main" }, t("frame.skip")),
    h("span", { class: "brand" }, h("img", { src: "/assets/icon.svg", alt: "" }), "Foyer"),
    h("nav", { class: "line grow", "aria-label": t("frame.pages") }, pages.filter(([, , shown]) => shown).map(([href, name]) => h("a", { class: "button quiet", href }, t(`frame.${name}`)))),
    look, me ? [h("span", { class: "soft who" }, `${me.full_name || me.name || me.email} · ${word("role", me.role)}`), button(t("frame.sign_out"), async () => { await signOut(); show(); }, { icon: "log-out" })] : null);
}

function steps() {
  return h("ol", { class: "steps" }, step(t("home.demo"), demo()), step(t("home.curl"), curl()), step(t("home.power_apps"), powerApps()));
}

const step = (/** @type {string} */ title, /** @type {any} */ content) => h("li", { class: "card stack tight" }, h("h2", {}, title), content);

function demo() {
  const place = h("div", { class: "stack tight" });
  const look = () => [h("p", { class: "soft" }, t("home.demo_there")), h("p", {}, linkButton(t("home.open_desk"), "/desk", { kind: "primary", icon: "inbox" }))];
  const fresh = () => [h("p", { class: "soft" }, t("home.demo_about")), h("p", {}, button(t("home.demo_make"), make, { kind: "primary", icon: "sparkles" }))];
  async function make() {
    try {
      await post("/api/demo");
      toast(t("common.done"));
      fill(place, look());
    } catch (error) {
      toastError(error);
    }
  }
  get("/api/tickets", { limit: 1 }).then(({ total }) => fill(place, total ? look() : fresh())).catch(toastError);
  return place;
}

function curl() {
  const key = credentials()?.key;
  const line = (/** @type {string} */ shown) => `curl ${location.origin}/api/tickets -H "X-API-Key: ${shown}" -H "Content-Type: application/json" `
    + '-d \'{"title": "Cannot login", "description": "My team is blocked.", "customer_email": "ada@example.com"}\'';
  const copy = button(t("common.copy"), async () => {
    try {
      await navigator.clipboard.writeText(line(key ?? "$KEY"));
      toast(t("common.copied"));
    } catch {
      getSelection()?.selectAllChildren(code);
    }
  }, { icon: "copy" });
  const code = h("code", {}, line(key ? `${key.slice(0, 6)}…` : "$KEY"));
  return [h("p", { class: "soft" }, t(key ? "home.curl_about" : "home.curl_without_key")), h("pre", { tabindex: "0", class: "wraps" }, code), h("p", {}, copy)];
}

function powerApps() {
  return [h("p", { class: "soft" }, t("home.power_apps_about")),
    h("p", { class: "line" }, linkButton(t("home.connector"), "/swagger.json", { icon: "download", download: "foyer.swagger.json" }),
      linkButton(t("home.how"), "/README.md", { icon: "book-open" }))];
}

function serverCard() {
  const card = h("section", { class: "card stack tight", "aria-label": t("home.server") });
  get("/api/health").then(({ data }) => {
    const facts = [["store", `${word("engine", data.storage.engine)}, ${t(data.storage.durable ? "home.durable" : "home.not_durable")}`], ["ai", t(`home.ai_${data.ai.mode}`)],
      ["mail", t(`home.mail_${data.mail.mode}`)], ["jobs", data.jobs.dead ? t("home.jobs_dead", { n: data.jobs.waiting, dead: data.jobs.dead }) : t("home.jobs_waiting", { n: data.jobs.waiting })], ["version", data.version]];
    fill(card, h("h2", { class: "line" }, icon("circle-check"), t("home.running")), h("dl", { class: "facts" }, facts.map(([name, value]) => h("div", {}, h("dt", { class: "soft" }, t(`home.${name}`)), h("dd", {}, value)))));
  }).catch((error) => fill(card, failed(error, () => card.replaceWith(serverCard()))));
  return card;
}

applyTheme();
takeFragment();
start();

// The chat of a Foyer desk on any page:
//   <script src="https://desk.example.com/embed.js" data-company="acme" async></script>
// It adds a button and, when it is pressed, a frame. The page learns nothing from the frame, and the frame nothing from the page.
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || window.foyerChat) return;
  const desk = new URL(script.src), german = /^de/i.test(document.documentElement.lang || navigator.language);
  const words = german ? { open: "Hilfe", close: "Hilfe schließen", title: "Chat" } : { open: "Help", close: "Close help", title: "Chat" };
  const address = new URL("/chat", desk);
  if (script.dataset.company) address.searchParams.set("company", script.dataset.company);
  address.hash = new URLSearchParams({ origin: location.origin });

  const host = document.createElement("div"), root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { all: initial; }
    button { position: fixed; right: 20px; bottom: 20px; z-index: 2147483000; min-width: 56px; height: 56px; padding: 0 18px; border: 0; border-radius: 28px;
      background: #0f5c55; color: #fff; font: 600 16px/1 system-ui, sans-serif; box-shadow: 0 8px 24px rgb(0 0 0 / .2); cursor: pointer; }
    button:focus-visible { outline: 3px solid #0f5c55; outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    iframe { box-sizing: border-box; position: fixed; right: 20px; bottom: 88px; z-index: 2147483001; width: 380px; height: min(640px, 90vh, calc(100vh - 108px)); border: 1px solid #8a8577; border-radius: 12px;
      background: #fff; box-shadow: 0 8px 24px rgb(0 0 0 / .2); }
    [hidden] { display: none; }
    @media (max-width: 480px) { iframe { inset: 0; width: 100%; height: 100%; border: 0; border-radius: 0; } }
    @media print { :host { display: none; } }`);
  root.adoptedStyleSheets = [sheet];
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words.open;
  button.setAttribute("aria-expanded", "false");
  root.append(button);

  let frame = null;
  function open() {
    if (!frame) {
      frame = document.createElement("iframe");
      frame.title = words.title;
      // Its own origin is the desk's, so this page cannot reach into it; allow-same-origin only gives it its own storage.
      frame.setAttribute("sandbox", "allow-scripts allow-forms allow-popups allow-downloads allow-same-origin");
      frame.setAttribute("referrerpolicy", "no-referrer");
      frame.src = address.href;
      root.append(frame);
    }
    show(true);
    frame.focus();
  }
  function show(visible) {
    frame.hidden = !visible;
    button.textContent = visible ? words.close : words.open;
    button.setAttribute("aria-expanded", String(visible));
  }
  function close() {
    if (!frame || frame.hidden) return;
    show(false);
    button.focus();
  }
  button.addEventListener("click", () => (frame && !frame.hidden ? close() : open()));
  addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.defaultPrevented) close(); });
  addEventListener("message", (event) => {
    if (frame && event.origin === desk.origin && event.source === frame.contentWindow && event.data && event.data.foyer === "close") close();
  });
  window.foyerChat = Object.freeze({ open, close });
  if (document.body) document.body.append(host);
  else addEventListener("DOMContentLoaded", () => document.body.append(host));
})();

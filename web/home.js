// The front page: shows how the server is, puts this server's address into the calls and lets them be copied.
"use strict";

const ENGINES = { json: "JSON file", sqlite: "SQLite", postgresql: "PostgreSQL" };
const VOICES = {
  model: "a language model, canned replies when it cannot",
  canned: "canned replies, chosen by triage; no model is set up",
};
const LETTERS = { smtp: "sent by SMTP", console: "one log line per notice; no mail server is set up" };

function say(id, text) {
  document.getElementById(id).textContent = text;
}

function show({ storage, ai, mail, jobs, version }) {
  const place = storage.location_hint ? ` (${storage.location_hint})` : "";
  const kept = storage.durable ? "survives a restart" : "is lost at the next restart";
  say("store", `${ENGINES[storage.engine] ?? storage.engine}${place}, ${kept}`);
  say("ai", VOICES[ai.mode] ?? ai.mode);
  say("mail", LETTERS[mail.mode] ?? mail.mode);
  say("jobs", jobs.dead ? `${jobs.waiting} waiting, ${jobs.dead} given up` : `${jobs.waiting} waiting`);
  say("version", version);
  document.getElementById("facts").hidden = false;
}

async function ask() {
  const lamp = document.getElementById("lamp");
  try {
    const response = await fetch("/api/health", { headers: { Accept: "application/json" } });
    const answer = await response.json();
    say("state", answer.message);
    lamp.classList.add(answer.success ? "on" : "off");
    if (answer.success) show(answer.data);
  } catch {
    say("state", "The server does not answer.");
    lamp.classList.add("off");
  }
}

function select(element) {
  getSelection().selectAllChildren(element);
}

function addCopyButton(figure) {
  const code = figure.querySelector("code");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      // Browsers give the clipboard to safe origins only; a selected line is one key away.
      select(code);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  figure.append(button);
}

for (const host of document.querySelectorAll(".host")) host.textContent = location.origin;
for (const figure of document.querySelectorAll("figure.line")) addCopyButton(figure);
ask();

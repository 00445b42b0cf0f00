// The page of a confirmation link: names the company the token is for, and sends the token when the button is pressed.
// Programs that only open links (mail scanners) confirm nothing.
"use strict";

const token = location.hash.slice(1);
const about = document.getElementById("about");
const button = document.getElementById("confirm");

function companyOf(text) {
  try {
    const part = text.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)).company || "";
  } catch {
    return "";
  }
}

async function confirm() {
  button.disabled = true;
  try {
    const response = await fetch("/api/auth/confirm", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
    });
    const answer = await response.json();
    about.textContent = answer.message;
    button.hidden = response.status < 500;
  } catch {
    about.textContent = "The server does not answer. Please try again.";
  }
  button.disabled = false;
}

if (token) {
  about.textContent = `Did you register the company ${companyOf(token)}? Then confirm that this address is yours.`;
  button.hidden = false;
  button.addEventListener("click", confirm);
}

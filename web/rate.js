// The page of a rating link: sends the score of the button that is pressed, with the link's token.
// Programs that only open links (mail scanners) rate nothing.
"use strict";

const token = location.hash.slice(1);
const about = document.getElementById("about");
const rating = document.getElementById("rating");
const buttons = rating.querySelectorAll("button");

function ticketOf(text) {
  try {
    const part = text.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(atob(part)).sub || "";
  } catch {
    return "";
  }
}

async function rate(score) {
  const comment = document.getElementById("comment").value;
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const response = await fetch(`/api/tickets/${encodeURIComponent(ticketOf(token))}/csat`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ score, comment, token }),
    });
    const answer = await response.json();
    about.textContent = response.status === 404 ? "This link is not valid any more." : answer.message;
    rating.hidden = response.ok || response.status === 404 || response.status === 409;
  } catch {
    about.textContent = "The server does not answer. Please try again.";
  }
  buttons.forEach((button) => { button.disabled = false; });
}

if (ticketOf(token)) {
  about.textContent = "Press a button to rate our help. You may change the rating for a week.";
  rating.hidden = false;
  buttons.forEach((button) => button.addEventListener("click", () => rate(Number(button.dataset.score))));
}

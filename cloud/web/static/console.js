// What the page does itself: says whether it is connected, tells how long ago things were, and acknowledges.
// All figures come from the server, which sends a part anew when it changes.
"use strict";

const QUIET_MS = 16000; // three beats of the server (5 s each) missed: the connection is dead though nothing said so
const main = document.getElementById("main");
const link = document.getElementById("link");
const linkText = document.getElementById("link-text");

let serverAhead = 0; // ms by which the server's clock is ahead of this one
let lastHeard = Date.now();
let lastFigures = "";
let connection = null;

function show(state, text) {
  if (link.dataset.state !== state) link.dataset.state = state;
  if (linkText.textContent !== text) linkText.textContent = text;
}

function lost() {
  const since = lastFigures ? " – figures of " + lastFigures : "";
  show("lost", "Connection lost" + since);
}

function heard(beat) {
  lastHeard = Date.now();
  const now = new Date(beat.now);
  serverAhead = now.getTime() - lastHeard;
  lastFigures = now.toLocaleTimeString();
  if (beat.trouble) show("trouble", beat.trouble);
  else show("live", "Live");
}

main.addEventListener("beat", (event) => heard(JSON.parse(event.detail.data)));
document.addEventListener("htmx:sse:after:connection", (event) => { connection = event.detail.connection; });
document.addEventListener("htmx:sse:error", lost);
document.addEventListener("htmx:sse:before:connection", (event) => { if (event.detail.connection.attempt > 0) lost(); });
document.addEventListener("htmx:sse:close", lost);
document.addEventListener("htmx:error", lost);

// --- how long ago -----------------------------------------------------------------------------------------------

function ago(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 5) return "just now";
  if (seconds < 60) return (seconds - (seconds % 5)) + " s ago";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min ago";
  if (seconds < 86400) return Math.floor(seconds / 3600) + " h ago";
  return Math.floor(seconds / 86400) + " d ago";
}

function tellAges() {
  const now = Date.now() + serverAhead;
  for (const time of document.querySelectorAll("time[data-since]")) {
    const text = ago(now - Date.parse(time.dateTime));
    if (time.dataset.ago !== text) time.dataset.ago = text;
  }
}

function tellTitle() {
  const open = document.querySelectorAll("#open-alerts > li").length;
  const title = (open ? "(" + open + ") " : "") + document.title.replace(/^\(\d+\) /, "");
  if (document.title !== title) document.title = title;
}

document.addEventListener("htmx:after:swap", () => { tellAges(); tellTitle(); });
setInterval(() => {
  tellAges();
  if (!document.hidden && Date.now() - lastHeard > QUIET_MS) {
    lost();
    lastHeard = Date.now(); // one attempt at a time
    if (!connection) location.reload(); // the very first attempt failed, and htmx makes no second
    else if (connection.reader) connection.reader.cancel(); // htmx then connects anew
  }
}, 1000);
tellAges();
tellTitle();

// --- acknowledging ----------------------------------------------------------------------------------------------

const NAME = "stockbeat.who";

function recall() {
  const who = document.getElementById("who");
  if (who && !who.value) who.value = localStorage.getItem(NAME) || "";
}

async function acknowledge(button) {
  const who = document.getElementById("who").value.trim();
  const problem = document.getElementById("alert-problem");
  button.disabled = true;
  try {
    const answer = await fetch("/api/v1/alerts/" + button.dataset.acknowledge + "/acknowledge", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(who ? { by: who } : {}),
    });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    problem.textContent = "";
    problem.className = "unseen";
  } catch (error) {
    problem.textContent = "Not acknowledged: " + error.message;
    problem.className = "problem";
    button.disabled = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-acknowledge]");
  if (button) acknowledge(button);
});
document.addEventListener("change", (event) => {
  if (event.target.id === "who") localStorage.setItem(NAME, event.target.value.trim());
  if (event.target.id === "site") event.target.form.submit();
});
recall();

// The page of one bay: sends what a person asks, waits for the answer, and shows what became of it.
"use strict";

const NAME = "stockbeat.who";
const LOOK_MS = 400; // an edge that is there answers within a second
const FRESH_MS = 5000;
const answer = document.getElementById("answer");
const who = document.getElementById("who");

if (who) { // not there where people can only look
  who.value = localStorage.getItem(NAME) || "";
  who.addEventListener("change", () => localStorage.setItem(NAME, who.value.trim()));
}

function say(state, text) {
  answer.textContent = text;
  answer.dataset.state = state;
  answer.className = "answer";
}

function value(input) {
  return "number" in input.dataset ? Number(input.value) : input.value;
}

function fields(inside) {
  const found = {};
  for (const input of inside.querySelectorAll("input, select")) {
    if (input.name && input.value !== "") found[input.name] = value(input);
  }
  return found;
}

function asked(form, button) {
  const rows = [...form.querySelectorAll("[data-row]")];
  const found = {};
  for (const input of form.querySelectorAll("input, select")) {
    if (input.name && input.value !== "" && !rows.some((row) => row.contains(input))) found[input.name] = value(input);
  }
  if (form.dataset.rows) found[form.dataset.rows] = rows.map(fields).filter((row) => row.gtin);
  if (button && button.name) found[button.name] = button.value;
  if (found.step === "keep" || found.step === "cancel") delete found.cell;
  if (found.step !== "span" && found.step !== "check") delete found.mass_grams;
  if (who.value.trim()) found.by = who.value.trim();
  return found;
}

async function json(url, options) {
  const got = await fetch(url, options);
  const body = await got.json();
  if (!got.ok) throw new Error(body.detail);
  return body;
}

function levels(command) {
  return command.levels.map((one) => ` · ${one.bay}: ${Math.round(one.grams)} g` + (one.units === null ? "" : `, ${one.units} units`)).join("");
}

async function settle(command) {
  while (command.state === "asked") {
    await new Promise((resume) => setTimeout(resume, LOOK_MS));
    command = await json("/api/v1/commands/" + command.id);
  }
  const words = command.words || command.state;
  if (command.state === "done") say("done", words + levels(command));
  else say("bad", (command.state === "expired" ? "No answer: " : "Not done: ") + words);
}

async function refresh() {
  const got = await fetch(location.href);
  if (!got.ok) return;
  const page = new DOMParser().parseFromString(await got.text(), "text/html");
  for (const id of ["state", "log"]) {
    const now = page.getElementById(id), there = document.getElementById(id);
    if (there.contains(document.activeElement) && document.activeElement.matches("select, input")) continue;
    if (now && now.innerHTML !== there.innerHTML) there.replaceWith(now);
  }
}

let busy = false;

async function submit(form, button) {
  if (busy || (form.dataset.sure && !confirm(form.dataset.sure))) return;
  busy = true;
  say("waiting", "Asking …");
  try {
    const command = await json(form.dataset.ask, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asked(form, button)),
    });
    await settle(command);
  } catch (error) {
    say("bad", "Not done: " + error.message);
  }
  busy = false;
  await refresh();
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  submit(event.target, event.submitter);
});
setInterval(() => { if (!document.hidden) refresh().catch(() => {}); }, FRESH_MS);

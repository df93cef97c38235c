// The planogram's page: opens and saves one bay's plan, and takes a file. What is refused is said where it was asked.
"use strict";

const NAME = "stockbeat.who";
const DONE = "stockbeat.planned"; // what is said after the page has come anew
const answer = document.getElementById("answer");
const who = document.getElementById("who");

who.value = localStorage.getItem(NAME) || "";
who.addEventListener("change", () => localStorage.setItem(NAME, who.value.trim()));

function say(text) {
  answer.textContent = text;
  answer.dataset.state = "done";
  answer.className = "answer";
}

const done = sessionStorage.getItem(DONE);
if (done) {
  sessionStorage.removeItem(DONE);
  say(done);
}

function wrong(form, text) {
  const problem = form.querySelector(".problem");
  problem.textContent = text;
  problem.className = text ? "problem" : "problem unseen";
}

async function json(url, options) {
  const got = await fetch(url, options);
  const body = await got.json();
  if (!got.ok) throw new Error(body.detail);
  return body;
}

function items(form) {
  return [...form.querySelectorAll("[data-slot]")].map((slot) => {
    const found = {};
    for (const input of slot.querySelectorAll("input, select")) if (input.value !== "") found[input.name] = input.value;
    return found;
  }).filter((found) => found.gtin);
}

async function save(form) {
  const by = who.value.trim();
  await json(form.dataset.plan, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(by ? { by, items: items(form) } : { items: items(form) }),
  });
  return form.dataset.place + " is planned anew";
}

async function take(form) {
  const file = form.elements.file.files[0];
  const kind = file.name.toLowerCase().endsWith(".toml") ? "toml" : "csv";
  const query = new URLSearchParams({ by: who.value.trim() || "console", name: file.name });
  const taken = await json("/api/v1/planogram." + kind + "?" + query, {
    method: "POST",
    headers: { "Content-Type": "text/plain" },
    body: await file.text(),
  });
  return file.name + ": " + taken.bays + " bays, " + taken.changed + " of them changed";
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  event.preventDefault();
  wrong(form, "");
  event.submitter.disabled = true;
  try {
    sessionStorage.setItem(DONE, await (form.dataset.plan ? save(form) : take(form)));
    location.reload();
  } catch (error) {
    wrong(form, "Nothing was changed. " + error.message);
  }
  event.submitter.disabled = false;
});

function open(id, shown) {
  document.getElementById(id).hidden = !shown;
  document.querySelector("[data-edit='" + id + "']").setAttribute("aria-expanded", String(shown));
}

function told(plan) {
  return plan.map((one) => one.gtin + " × " + one.capacity + (one.facings ? ", " + one.facings + " side by side" : "") +
    (one.low === undefined ? "" : ", low below " + one.low) +
    (one.unit_grams === undefined ? "" : ", " + one.unit_grams + " g each") +
    (one.unit_tare_grams === undefined ? "" : ", tray " + one.unit_tare_grams + " g") +
    (one.unit_cv === undefined ? "" : ", they differ by " + one.unit_cv)).join("; ") || "nothing";
}

async function past(button) {
  const list = button.closest("form").querySelector(".past");
  const changes = await json(button.dataset.history);
  list.replaceChildren(...changes.map((change) => {
    const line = document.createElement("li");
    const when = new Date(change.at).toLocaleString();
    line.textContent = when + " · " + change.by + " (" + change.source + "): " + told(change.before) + " → " + told(change.after);
    return line;
  }));
  if (!changes.length) list.textContent = "Nobody, since sites.toml.";
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.edit) open(button.dataset.edit, button.getAttribute("aria-expanded") !== "true");
  if (button.dataset.close) open(button.dataset.close, false);
  if (button.dataset.history) past(button).catch((error) => wrong(button.closest("form"), error.message));
});
document.addEventListener("change", (event) => {
  if (event.target.id === "site") event.target.form.submit();
});

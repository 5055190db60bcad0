// Deciding with the keyboard. The next proposal is in the page already and is shown at once; the answer of the server
// brings the one behind it. Without this file every button works as a form or as a link.
const cards = document.getElementById("cards");
const decided = new Set(); // what was decided here and may still be in an answer that is under way
let sending = Promise.resolve(); // one after the other, so that each answer is newer than the one before

const shown = () => cards.querySelector(".review-card:not([hidden])");
const singleKeys = () => { try { return localStorage.getItem("single-keys") !== "off"; } catch { return true; } };
const adopt = nodes => nodes.map(node => document.adoptNode(node));

function tell(text) {
  const note = document.getElementById("review-note");
  note.hidden = false;
  note.classList.add("bad");
  note.textContent = text;
  document.getElementById("live").textContent = text;
}

function show(card) {
  if (!card) return;
  card.hidden = false;
  card.querySelector(".review-title").focus({ preventScroll: true });
  document.querySelector("#review-queue [aria-current]")?.removeAttribute("aria-current");
  document.querySelector(`#review-queue tr[data-id="${card.dataset.id}"]`)?.setAttribute("aria-current", "true");
}

function putAway(card) {
  decided.add(card.dataset.id);
  card.remove();
  show(cards.querySelector(".review-card"));
}

function putBack(card) {
  decided.delete(card.dataset.id);
  for (const other of cards.querySelectorAll(".review-card")) other.hidden = true;
  cards.prepend(card);
  show(card);
}

/** Takes over what stands around the cards, and the cards that are not here yet. */
function take(page) {
  for (const id of ["review-queue", "review-today", "review-count", "review-last"]) {
    document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
  }
  for (const line of document.querySelectorAll("#review-queue tr[data-id]")) if (decided.has(line.dataset.id)) line.remove();
  const fresh = [...page.querySelectorAll(".review-card")].filter(card => !decided.has(card.dataset.id) && !cards.querySelector(`[data-id="${card.dataset.id}"]`));
  for (const card of fresh) card.hidden = true;
  cards.querySelector(".review-end")?.remove();
  cards.append(...adopt(fresh));
  if (!cards.children.length) cards.append(...adopt([...page.querySelectorAll(".review-end")]));
  show(shown() ?? cards.querySelector(".review-card"));
  claim();
}

async function ask(url, options) {
  const answer = await fetch(url, options).catch(() => null);
  if (!answer) return { words: "The server cannot be reached, so nothing was decided." };
  if (new URL(answer.url).pathname === "/login") { location.assign(answer.url); return new Promise(() => {}); }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.ok) return { page, url: answer.url };
  return { words: page.querySelector("main h1 ~ p")?.textContent || "That did not work.", conflict: answer.status === 409 };
}

async function decide(form, body, card, early) {
  const { page, url, words, conflict } = await ask(form.action, { method: "POST", body });
  if (!page && !conflict) { if (early) putBack(card); return tell(words); }
  if (!early) putAway(card);
  if (page) { history.replaceState(null, "", url); return take(page); }
  const next = await ask(`/llm-center/review?after=${card.dataset.spot}`); // somebody else was first: go on
  if (next.page) take(next.page);
  return tell(words);
}

async function undo(form, body) {
  const { page, url, words } = await ask(form.action, { method: "POST", body });
  if (!page) return tell(words);
  history.replaceState(null, "", url);
  decided.clear();
  cards.replaceChildren();
  return take(page);
}

/** Keeps the proposals of this page for this reviewer; the shown one may be somebody else's by now. */
async function claim() {
  const open = [...cards.querySelectorAll(".review-card:not([data-claimed])")].filter(card => card.querySelector("button"));
  if (!open.length) return;
  for (const card of open) card.dataset.claimed = "";
  const body = new URLSearchParams([["csrf_token", cards.querySelector("[name=csrf_token]").value], ...open.map(card => ["id", card.dataset.id])]);
  const answer = await fetch("/llm-center/review/claim", { method: "POST", body }).catch(() => null);
  if (!answer?.ok) return;
  const { taken } = await answer.json();
  if (taken.includes(Number(shown()?.dataset.id))) tell("Somebody else looks at this one just now. Skip it, or decide it: the first decision counts.");
}

document.addEventListener("submit", event => {
  const form = event.target;
  const card = form.closest(".review-card");
  if (!card && form.id !== "undo") return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  if (!card) { sending = sending.then(() => undo(form, body)); return; }
  const early = body.get("do") !== "change"; // what was typed may be refused, so that card stays until it is taken
  if (early) putAway(card);
  sending = sending.then(() => decide(form, body, card, early));
});

async function skip(href, card) {
  const { page, url, words } = await ask(href);
  if (!page) { putBack(card); return tell(words); }
  history.replaceState(null, "", url);
  return take(page);
}

document.addEventListener("click", event => {
  const link = event.target.closest("a[data-review-key=s]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const card = link.closest(".review-card");
  putAway(card);
  sending = sending.then(() => skip(link.href, card));
});

function choose(number) {
  const choice = shown()?.querySelectorAll("[name=pick]")[number - 1];
  if (choice) { choice.checked = true; choice.focus(); }
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || !singleKeys()) return;
  if (event.target.matches("input:not([type=radio]), select, textarea")) return;
  if (/^[1-9]$/.test(event.key)) { choose(Number(event.key)); return; }
  if (!/^[a-z]$/.test(event.key)) return;
  const control = [shown(), document.getElementById("review-last")].map(part => part?.querySelector(`[data-review-key="${event.key}"]`)).find(Boolean);
  if (!control) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  control.click();
  if (event.key === "e") shown().querySelector("[name=ticker]").focus();
}, true);

claim();

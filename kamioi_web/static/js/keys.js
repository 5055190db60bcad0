// Keys for the list and for a detail page. Off while typing; single letters can be switched off in the help.
const table = document.getElementById("list");
const dialog = document.getElementById("keys");
const box = document.getElementById("single-keys");
const stored = "single-keys";

const read = () => { try { return localStorage.getItem(stored) !== "off"; } catch { return true; } };
const write = on => { try { localStorage.setItem(stored, on ? "on" : "off"); } catch { /* private windows keep nothing */ } };
box.checked = read();
box.addEventListener("change", () => write(box.checked));

// --- The current row
const current = () => table?.querySelector("tr[aria-current]");
const rows = () => [...table.querySelectorAll("tr[data-c]")];
const edges = () => [table.tHead.getBoundingClientRect().bottom, document.getElementById("bar").getBoundingClientRect().top];

function firstInSight() {
  const [top] = edges();
  return rows().find(row => row.getBoundingClientRect().top >= Math.max(top, 0) - 1);
}

function mark(row, focus = true) {
  if (!row) return;
  current()?.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  if (focus) row.querySelector("a").focus({ preventScroll: true });
}

function move(step) {
  const row = current();
  const all = rows();
  const next = row ? all[all.indexOf(row) + step] : firstInSight();
  if (!next) return;
  mark(next);
  const [top, bottom] = edges();
  const box = next.getBoundingClientRect();
  if (box.top < top) scrollBy({ top: box.top - top, behavior: "instant" });
  if (box.bottom > bottom) scrollBy({ top: box.bottom - bottom, behavior: "instant" });
}

const linkOf = row => row?.querySelector(".c-merchant a, a")?.href;
const openRow = () => { const href = linkOf(current()); if (href) location.assign(href); };
const openTab = () => { const href = linkOf(current()); if (href) window.open(href, "_blank", "noopener"); };

function goTo() {
  const jump = document.getElementById("jump");
  jump.open = true;
  jump.querySelector("input[type=date]").focus();
}

/** Opens the list a day before or after the current row. */
function byDay(step) {
  const row = current() || firstInSight();
  if (!row) return;
  const day = new Date(`${row.dataset.c.slice(0, 10)}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() + step);
  const form = document.getElementById("jump-date");
  form.elements.date.value = day.toISOString().slice(0, 10);
  form.requestSubmit();
}

function toEnd(id) {
  const isThere = id === "newest" && !table.querySelector(":scope > thead + .more, :scope > thead + .problem");
  if (isThere) { scrollTo({ top: 0, behavior: "instant" }); mark(rows()[0]); }
  else location.assign(document.getElementById(id).href);
}

async function copyLink() {
  const url = new URL(location.href);
  const row = current() || firstInSight();
  for (const name of ["page", "row", "date", "before", "after"]) url.searchParams.delete(name);
  if (row) url.searchParams.set("at", row.dataset.c);
  try {
    await navigator.clipboard.writeText(url.href.replaceAll("%3A", ":").replaceAll("%7E", "~"));
    say("Link copied");
  } catch {
    say("This browser lets no page copy; copy the address instead");
  }
}

function say(text) {
  const toast = document.getElementById("toast");
  document.getElementById("live").textContent = text;
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.hidden = true; }, 3000);
}

const search = () => { const input = document.getElementById("search"); input?.focus(); input?.select(); };
const help = () => dialog.showModal();
const follow = name => document.querySelector(`[data-key="${name}"]`)?.click();

const LIST = {
  j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: openRow, o: openTab,
  g: goTo, "/": search, "?": help, Home: () => toEnd("newest"), End: () => toEnd("oldest"), "[": () => byDay(-1), "]": () => byDay(1), c: copyLink,
};
const OTHER = { "/": search, j: () => follow("older"), k: () => follow("newer"), u: () => follow("back"), Escape: () => follow("back"), "?": help };
const keys = table ? LIST : OTHER;

const isTyping = element => element.matches?.("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");
/** Enter on a link or button is theirs; arrows belong to an open panel or the slider. */
const isTaken = (key, element) => key === "Enter" ? element.closest("a, button, summary, label, input") : element.closest(".popover[open], [role=slider]");

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (isTyping(event.target)) { if (event.key === "Escape") event.target.blur(); return; }
  if (!(event.key in keys) || isTaken(event.key, event.target)) return;
  if (event.key.length === 1 && !read()) return;
  event.preventDefault();
  keys[event.key]();
});

if (table) document.getElementById("copy-link")?.addEventListener("click", copyLink);
for (const button of document.querySelectorAll("#help")) {
  button.addEventListener("click", help);
}

// --- The mouse: a click anywhere on a row opens it, unless text is being selected.
table?.addEventListener("focusin", event => mark(event.target.closest("tr[data-c]"), false));
table?.addEventListener("click", event => {
  const row = event.target.closest("tr[data-c]");
  if (!row || event.target.closest("a, button, .c-select") || String(getSelection())) return;
  mark(row, false);
  event.ctrlKey || event.metaKey ? openTab() : openRow();
});

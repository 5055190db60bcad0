// Keeps a bounded number of rows in the page, and keeps what is being read where it is.
const MOST_ROWS = 1500;
const table = document.getElementById("list");
const live = document.getElementById("live");
const template = document.getElementById("sentinel");

// By tBodies and rows, never by a selector over the table: that would walk its 40,000 elements.
const chunks = () => [...table.tBodies].filter(body => body.classList.contains("chunk"));
const isSentinel = body => Boolean(body) && body.matches("table > .more, table > .problem");

/** Where the rows in sight begin: below the filters, and below the sticky head where it shows. */
function topEdge() {
  const filters = document.getElementById("filters").getBoundingClientRect();
  const head = table.tHead.rows[0].cells[0].getBoundingClientRect();
  return matchMedia("(width < 720px)").matches ? filters.bottom : Math.max(filters.bottom, head.bottom);
}

/** The first row in sight. */
function topRow() {
  const edge = topEdge();
  for (const chunk of chunks()) {
    if (chunk.getBoundingClientRect().bottom <= edge) continue;
    for (const row of chunk.rows) if (row.getBoundingClientRect().bottom > edge + 1) return row;
  }
  return null;
}

/** The row that must not move: the one under the pointer, or else the first in sight. */
function steadyRow() {
  const chunk = chunks().find(each => each.matches(":hover"));
  return [...chunk?.rows || []].find(row => row.matches(":hover")) || topRow();
}

function remember() {
  const row = steadyRow();
  return row && { row, top: row.getBoundingClientRect().top };
}

function restore(place) {
  if (!place?.row.isConnected) return;
  const moved = place.row.getBoundingClientRect().top - place.top;
  if (Math.abs(moved) >= 1) scrollBy({ top: moved, behavior: "instant" });
}

/** A sentinel for what was taken away beside `chunk`, on the given side. */
function sentinel(chunk, side) {
  const body = template.content.querySelector("tbody").cloneNode(true);
  const link = body.querySelector("a");
  const cursor = side === "newer" ? chunk.dataset.first : chunk.dataset.last;
  const rows = address(table.dataset.rowsHref, side === "newer" ? "before" : "after", cursor);
  for (const element of [body, link]) element.setAttribute("hx-get", rows);
  link.href = address(table.dataset.pageHref, "at", cursor);
  link.textContent = side === "newer" ? "Newer 100" : "Next 100";
  return body;
}

function address(href, name, value) {
  const url = new URL(href, location.href);
  url.searchParams.set(name, value);
  return url.pathname + url.search;
}

/** Takes whole chunks away at the side far from the one that grew; never one that holds focus. */
function prune(grown) {
  const all = chunks();
  let rows = all.reduce((sum, chunk) => sum + chunk.rows.length, 0);
  const far = grown === "newer" ? all.reverse() : all;
  let removed = false;
  while (rows > MOST_ROWS && far.length > 1 && !far[0].contains(document.activeElement)) {
    rows -= far[0].rows.length;
    far.shift().remove();
    removed = true;
  }
  if (removed) replaceSentinel(far[0], grown === "newer" ? "older" : "newer");
}

function replaceSentinel(chunk, side) {
  const next = () => side === "older" ? chunk.nextElementSibling : chunk.previousElementSibling;
  while (next() && next().matches("tbody")) {
    window.htmx.trigger(next(), "htmx:abort");
    next().remove();
  }
  const body = sentinel(chunk, side);
  side === "older" ? chunk.after(body) : chunk.before(body);
  queueMicrotask(() => window.htmx.process(body));
}

/** Numbers the rows of a chunk that came without, from the chunk beside it. */
function number(chunk) {
  const [newer, older] = [chunk.previousElementSibling, chunk.nextElementSibling];
  if (chunk.dataset.start) return;
  if (older?.dataset.start) chunk.dataset.start = Number(older.dataset.start) - chunk.rows.length;
  else if (newer?.dataset.start) chunk.dataset.start = Number(newer.dataset.start) + newer.rows.length;
  if (!chunk.dataset.start) return;
  [...chunk.rows].forEach((row, index) => row.setAttribute("aria-rowindex", Number(chunk.dataset.start) + index + 1));
}

function announce(chunk) {
  const start = Number(chunk.dataset.start);
  const say = number => number.toLocaleString("en-GB");
  live.textContent = start
    ? `Rows ${say(start)} to ${say(start + chunk.rows.length - 1)} of ${table.dataset.totalText}`
    : `${chunk.rows.length} more rows`;
}

// --- Around every swap in the list: remember, let htmx insert, prune, put the reader back.
const places = new WeakMap();
const isOurs = element => element instanceof Element && table.contains(element);

function before(event) {
  const source = event.detail.ctx?.sourceElement || event.detail.elt;
  const body = isOurs(source) && source.closest("tbody");
  if (!isSentinel(body)) return;
  const side = body.nextElementSibling?.matches(".chunk") && !body.previousElementSibling?.matches(".chunk") ? "newer" : "older";
  const held = body.contains(document.activeElement);
  places.set(source, { side, held, place: remember(), known: new Set(chunks()) });
}

function after(event) {
  const source = event.detail.task?.sourceElement || event.detail.elt;
  const kept = places.get(source);
  if (!kept) return;
  places.delete(source);
  const added = chunks().filter(chunk => !kept.known.has(chunk));
  added.forEach(number);
  if (kept.held) added[0]?.querySelector("a")?.focus({ preventScroll: true });
  prune(kept.side);
  restore(kept.place);
  if (added.length) announce(added[0]);
  document.dispatchEvent(new CustomEvent("kamioi:rows"));
}

function busy(event) {
  const source = event.detail.ctx?.sourceElement || event.detail.elt;
  if (isOurs(source)) table.setAttribute("aria-busy", String(event.type === "htmx:before:request" || event.type === "htmx:beforeRequest"));
}

const on = (names, handler) => names.forEach(name => document.addEventListener(name, handler));
on(["htmx:before:swap", "htmx:beforeSwap"], before); // names of htmx 4 and of htmx 2
on(["htmx:before:settle", "htmx:afterSwap"], after); // both fire in the same task as the insertion
on(["htmx:before:request", "htmx:beforeRequest", "htmx:finally:request", "htmx:afterRequest"], busy);

/** Opens the page at the row that its address names. */
function openAt(cursor) {
  const row = table.querySelector(`tr[data-c="${CSS.escape(cursor)}"]`);
  if (!row) return;
  history.scrollRestoration = "manual";
  row.setAttribute("aria-current", "true");
  if (row.rowIndex === 1) return; // already first: the summary may stay in sight
  for (let turn = 0; turn < 5; turn++) { // the sticky parts settle while the page scrolls
    const far = row.getBoundingClientRect().top - topEdge();
    if (Math.abs(far) < 1) return;
    scrollBy({ top: far, behavior: "instant" });
  }
}

if (table.dataset.at) openAt(table.dataset.at);

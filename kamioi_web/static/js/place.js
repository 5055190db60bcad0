// The address, the position in words and the timeline follow the first row in sight.
const table = document.getElementById("list");
const position = document.getElementById("position");
const pageNumber = document.getElementById("page-number");
const say = number => number.toLocaleString("en-GB");

const rowAt = y => {
  const box = table.getBoundingClientRect();
  for (const x of [box.left + 24, box.left + box.width / 2]) {
    const row = document.elementFromPoint(x, y)?.closest("#list tr[data-c]");
    if (row) return row;
  }
  return null;
};

/** Where the rows in sight begin: below the filters, and below the sticky head where it shows. */
function topEdge() {
  const filters = document.getElementById("filters").getBoundingClientRect();
  const head = table.tHead.rows[0].cells[0].getBoundingClientRect();
  return matchMedia("(width < 720px)").matches ? filters.bottom : Math.max(filters.bottom, head.bottom);
}

/** The first and last rows in sight; a sentinel in the way is stepped over. */
function inSight() {
  const top = topEdge();
  const bottom = Math.min(document.getElementById("bar").getBoundingClientRect().top, innerHeight);
  let first = null, last = null;
  for (let y = top + 4; y < bottom && !first; y += 20) first = rowAt(y);
  for (let y = bottom - 4; y > top && !last; y -= 20) last = rowAt(y);
  return first && { first, last: last || first };
}

const numberOf = row => {
  const start = Number(row.parentElement.dataset.start);
  return start ? start + row.sectionRowIndex : 0;
};

const isNewest = row => row.sectionRowIndex === 0 && row.parentElement.previousElementSibling === table.tHead;

function writeAddress(row) {
  const query = new URLSearchParams(location.search);
  for (const name of ["at", "page", "row", "date", "before", "after"]) query.delete(name);
  if (!isNewest(row)) query.set("at", row.dataset.c);
  const search = query.toString().replaceAll("%3A", ":").replaceAll("%7E", "~");
  const url = search ? `${location.pathname}?${search}` : table.dataset.pageHref; // where a default view opens, that says “all rows”
  if (url !== location.pathname + location.search) history.replaceState(history.state, "", url);
}

function writePosition({ first, last }) {
  const from = numberOf(first), to = numberOf(last);
  const where = from && to ? ["Rows ", part("b", `${say(from)} – ${say(to)}`)] : ["At ", part("b", first.dataset.c.slice(0, 19).replace("T", " "))];
  position.replaceChildren(...where, part("span", ` of ${table.dataset.totalText}`, "of"));
  pageNumber.hidden = !from;
  pageNumber.querySelector("b").textContent = say(Math.floor((from - 1) / 100) + 1);
}

function part(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}

let shown = "";
let scrolled = false; // merely opening a page leaves its address as it came
function update() {
  const rows = inSight();
  if (!rows) return;
  const key = rows.first.dataset.c + rows.last.dataset.c + numberOf(rows.first) + scrolled;
  if (key === shown) return;
  shown = key;
  writePosition(rows);
  if (scrolled) writeAddress(rows.first);
  document.dispatchEvent(new CustomEvent("kamioi:place", { detail: { cursor: rows.first.dataset.c } }));
}

let waiting = 0;
function later() {
  waiting ||= setTimeout(() => { waiting = 0; update(); }, 250);
}

addEventListener("scroll", () => { scrolled = true; later(); }, { passive: true });
addEventListener("resize", () => { shown = ""; later(); }, { passive: true });
document.addEventListener("kamioi:rows", later);
update();

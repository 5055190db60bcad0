// What the page does while it is scrolled: put in before the page's own scripts, read out at the end.
window.watched = { ids: [], most: 0, tasks: [], shift: 0, shifts: [], painted: [], jumps: 0 };

/** Which element moved, and how far up or down. */
function moved({ node, previousRect, currentRect }) {
  const element = node?.nodeType === Node.ELEMENT_NODE ? node : node?.parentElement;
  const name = element ? element.tagName.toLowerCase() + (element.id ? `#${element.id}` : `.${element.className}`) : "gone";
  return `${name} ${Math.round(previousRect.y)}+${Math.round(previousRect.height)} to ${Math.round(currentRect.y)}+${Math.round(currentRect.height)}`;
}

new PerformanceObserver(list => {
  for (const task of list.getEntries()) window.watched.tasks.push(task.duration);
}).observe({ type: "longtask", buffered: true });

new PerformanceObserver(list => {
  for (const shift of list.getEntries()) {
    if (shift.hadRecentInput) continue;
    window.watched.shift += shift.value;
    window.watched.shifts.push([shift.value, Math.round(shift.startTime), shift.sources.slice(0, 3).map(moved).join(", ")]);
  }
}).observe({ type: "layout-shift", buffered: true });

// --- When rows were asked for: older ones only, which are what the wheel brings.
const asked = [];
const plainFetch = window.fetch;
window.fetch = function (input, ...rest) {
  const url = String(input instanceof Request ? input.url : input);
  if (url.includes("/rows?") && url.includes("after=")) asked.push(performance.now());
  return plainFetch.call(this, input, ...rest);
};

// --- Chunks as they come, each counted once however often it is moved.
const known = new WeakSet();

function take(chunk) {
  if (known.has(chunk)) return;
  known.add(chunk);
  for (const row of chunk.rows) if (row.dataset.id) window.watched.ids.push(Number(row.dataset.id));
  const began = asked.shift();
  if (began !== undefined) requestAnimationFrame(() => setTimeout(() => window.watched.painted.push(performance.now() - began)));
}

function look() {
  const list = document.getElementById("list");
  if (!list) return;
  list.querySelectorAll("tbody.chunk").forEach(take);
  window.watched.most = Math.max(window.watched.most, list.querySelectorAll("tr[data-c]").length);
}

// --- Whether the reader is thrown to another place: the row under one point, frame by frame.
const JUMP = 90; // rows; more than the wheel turns in a frame, less than a chunk
let last = 0;

function follow() {
  const row = document.elementFromPoint(innerWidth / 2, innerHeight * 2 / 3)?.closest("tr[data-c]");
  const number = Number(row?.getAttribute("aria-rowindex") || 0);
  if (number && last && Math.abs(number - last) >= JUMP) window.watched.jumps += 1;
  last = number || last;
  requestAnimationFrame(follow);
}

document.addEventListener("DOMContentLoaded", () => {
  look();
  follow();
  new MutationObserver(look).observe(document.getElementById("list"), { childList: true });
});

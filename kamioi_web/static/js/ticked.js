// The rows that are ticked: how many, all that are loaded at once, and a stretch of them with Shift.
const MOST = 150;
const table = document.getElementById("list");
const all = document.getElementById("select-all");
const count = document.getElementById("ticked");
const boxes = () => [...table.querySelectorAll("input[name=tick]")];
let last = null;

function show() {
  const ticked = boxes().filter(box => box.checked).length;
  count.textContent = `${ticked} ticked`;
  count.hidden = !ticked;
  all.indeterminate = ticked > 0 && !all.checked;
  if (!ticked) all.checked = false;
}

table.addEventListener("click", event => {
  const box = event.target.closest("input[name=tick]");
  if (!box) return;
  if (event.shiftKey && last) {
    const some = boxes();
    const [from, to] = [some.indexOf(last), some.indexOf(box)].sort((a, b) => a - b);
    if (from >= 0) for (const each of some.slice(from, to + 1)) each.checked = box.checked;
  }
  last = box;
});
table.addEventListener("change", event => {
  if (event.target === all) boxes().forEach((box, at) => { box.checked = all.checked && at < MOST; });
  show();
});
addEventListener("pageshow", show);
for (const name of ["htmx:after:swap", "htmx:afterSettle"]) document.addEventListener(name, show);

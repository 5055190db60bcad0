// Small things around the list: open panels close, forms leave out what is empty, columns and density apply at once.
const table = document.getElementById("list");
const form = document.getElementById("preferences");
const density = document.getElementById("density");

// --- Panels: one open at a time; a click elsewhere or Escape closes it.
const open = () => [...document.querySelectorAll("details.popover[open]")];
document.addEventListener("click", event => {
  for (const details of open()) if (!details.contains(event.target)) details.open = false;
});
document.addEventListener("keydown", event => {
  if (event.key !== "Escape") return;
  for (const details of open()) {
    details.open = false;
    details.querySelector("summary").focus();
    event.stopImmediatePropagation();
  }
});

// --- Filters: an address carries only what was filled in.
document.addEventListener("submit", event => {
  if (event.target.method !== "get") return;
  for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
});
addEventListener("pageshow", () => document.querySelectorAll("form[method=get] :disabled").forEach(field => { field.disabled = false; }));

// --- Columns and density: shown now, kept by the same form that works without JavaScript.
function save(chosenDensity) {
  const body = new FormData(form);
  body.set("density", chosenDensity);
  const headers = { "X-Requested-With": "fetch" };
  fetch(form.action, { method: "POST", headers, body: new URLSearchParams(body), redirect: "manual", keepalive: true }).catch(() => {});
}

const current = () => table.classList.contains("compact") ? "compact" : "comfortable";

/** Runs a change that makes rows higher or lower, and keeps the first row in sight where it was. */
function keepingPlace(change) {
  const edge = table.tHead.getBoundingClientRect().bottom;
  const row = scrollY > 0 && [...table.querySelectorAll("tr[data-c]")].find(each => each.getBoundingClientRect().top >= edge);
  const top = row && row.getBoundingClientRect().top;
  change();
  if (row) scrollBy({ top: row.getBoundingClientRect().top - top, behavior: "instant" });
}

form.addEventListener("change", event => {
  const { name, value, checked } = event.target;
  if (name !== "column") return;
  keepingPlace(() => table.classList.toggle(`hide-${value}`, !checked));
  save(current());
});

form.addEventListener("submit", event => {
  if (event.submitter !== density) return;
  event.preventDefault();
  const next = density.value;
  keepingPlace(() => { table.classList.remove(current()); table.classList.add(next); });
  density.value = next === "compact" ? "comfortable" : "compact";
  density.querySelector("span").textContent = next === "compact" ? "Comfortable" : "Compact";
  save(next);
});

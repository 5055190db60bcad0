// Columns and density: shown at once, kept by the same form that works without JavaScript.
const table = document.getElementById("list");
const form = document.getElementById("preferences");
const density = document.getElementById("density");

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
  const named = document.querySelector(`#export [data-column="${value}"]`);
  if (named) named.hidden = !checked;
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

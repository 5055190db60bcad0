// Open panels close, and forms leave out what is empty.

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

// The list below a search box (data-list names it): arrows move, Enter follows, Escape closes, a screen reader is told.
const live = document.getElementById("live");

function combobox(input) {
  const list = document.getElementById(input.dataset.list);
  const stays = "stays" in input.dataset; // in the palette the list is never closed
  const options = () => [...list.querySelectorAll("[role=option]")];
  const active = () => list.querySelector("[aria-selected=true]");
  const isOpen = () => stays || !list.hidden;
  const set = values => Object.entries(values).forEach(([name, value]) => input.setAttribute(name, value));

  function show(open) {
    if (!stays) list.hidden = !open;
    set({ "aria-expanded": isOpen() && options().length > 0 });
    if (!open) mark(null);
  }

  function mark(option) {
    active()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    set({ "aria-activedescendant": option?.id || "" });
    option?.scrollIntoView({ block: "nearest" });
  }

  function move(step) {
    const all = options();
    if (!isOpen()) show(true);
    if (!all.length) return;
    const at = all.indexOf(active());
    mark(all[at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length]);
  }

  /** Follows an option: on in the box, or to where it leads. */
  function choose(option, elsewhere = false) {
    if (!("fill" in option.dataset)) {
      if (elsewhere) window.open(option.href, "_blank", "noopener");
      else location.assign(option.href);
      return;
    }
    input.value = option.dataset.fill;
    input.focus();
    show(false); // until its own options come, Enter is for the form
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** What came: numbered, so that the box can name the current one, and counted aloud. */
  function received() {
    const all = options();
    all.forEach((option, at) => { option.id = `${list.id}-${at}`; });
    mark(null);
    show(document.activeElement === input && list.childElementCount > 0);
    const hint = list.querySelector(".suggest-hint")?.textContent || "Nothing found";
    if (document.activeElement === input) live.textContent = all.length ? `${all.length} ${all.length === 1 ? "suggestion" : "suggestions"}` : hint;
  }

  input.addEventListener("keydown", event => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) move(step);
    else if (event.key === "Enter" && isOpen() && active()) choose(active(), event.ctrlKey || event.metaKey);
    else if (event.key === "Escape" && !stays && isOpen()) show(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("mousedown", event => event.preventDefault()); // the box keeps the focus
  list.addEventListener("click", event => {
    const option = event.target.closest("[role=option]");
    if (!option || !("fill" in option.dataset)) return;
    event.preventDefault();
    choose(option);
  });
  input.addEventListener("focusout", () => show(false));
  input.form.addEventListener("submit", () => show(false));
  new MutationObserver(received).observe(list, { childList: true });
  set({ role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-haspopup": "listbox", "aria-expanded": stays });
}

/** An answer that is none of ours, or that failed, leaves the list as it is. */
function keepOnFailure(event) {
  const source = event.detail.ctx?.sourceElement || event.detail.elt;
  const status = event.detail.ctx?.response?.status ?? event.detail.xhr?.status;
  if (source?.matches?.("input[data-list]") && status >= 400 && status !== 401) event.preventDefault();
}

for (const input of document.querySelectorAll("input[data-list]")) combobox(input);
for (const name of ["htmx:before:response", "htmx:beforeOnLoad"]) document.addEventListener(name, keepOnFailure);

// The palette, opened with Ctrl-K or Cmd-K: pages, saved views, search, and what was opened last. The last is kept in
// this browser alone, for one admin, until they log out.
const MOST = 8;
const dialog = document.getElementById("palette");
const input = dialog.querySelector("input");
const list = document.getElementById("palette-list");
const stored = `recent-${document.body.dataset.admin}`;

const read = () => { try { return JSON.parse(localStorage.getItem(stored)) || []; } catch { return []; } };
const write = recent => { try { localStorage.setItem(stored, JSON.stringify(recent)); } catch { /* private windows keep nothing */ } };

/** A page of one thing is remembered, the newest first. */
function remember() {
  const title = document.querySelector(".detail h1")?.textContent.trim();
  if (!title) return;
  const kind = document.querySelector(".side nav [aria-current]")?.firstChild.textContent.trim() || "";
  const others = read().filter(each => each.href !== location.pathname);
  write([{ title, href: location.pathname, kind }, ...others].slice(0, MOST));
}

function element(tag, text, ...children) {
  const made = document.createElement(tag);
  made.textContent = text;
  made.append(...children);
  return made;
}

/** What was opened last, above the pages, while nothing is typed. */
function offerRecent() {
  const recent = read().filter(each => each.href !== location.pathname);
  if (input.value.trim() || !recent.length || list.querySelector(".recent")) return;
  const options = recent.map(each => {
    const option = element("a", "", element("span", "", element("b", each.title), " ", element("small", each.kind)));
    option.href = each.href;
    option.tabIndex = -1;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    return option;
  });
  const title = element("div", "Recent");
  title.className = "suggest-title";
  title.setAttribute("role", "presentation");
  const group = element("div", "", title, ...options);
  group.className = "recent";
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Recent");
  list.prepend(group);
}

function open() {
  if (dialog.open) return dialog.close();
  input.value = "";
  list.replaceChildren();
  dialog.showModal();
  input.focus();
  input.dispatchEvent(new CustomEvent("kamioi:ask"));
}

document.addEventListener("keydown", event => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  open();
});
document.getElementById("open-palette").addEventListener("click", event => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open();
});
dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); }); // beside it
document.addEventListener("submit", event => {
  if (!event.target.matches("[action$='/logout']")) return;
  try { localStorage.removeItem(stored); } catch { /* nothing was kept */ }
});
new MutationObserver(offerRecent).observe(list, { childList: true });
remember();

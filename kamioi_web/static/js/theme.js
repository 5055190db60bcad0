// Runs before the first paint, so that a chosen theme never flashes into place.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const kept = () => { try { return localStorage.getItem("theme") || ""; } catch { return ""; } };
  const apply = theme => theme ? root.dataset.theme = theme : delete root.dataset.theme;
  apply(kept());

  addEventListener("DOMContentLoaded", () => {
    const group = document.getElementById("theme");
    if (!group) return;
    const mark = () => { for (const button of group.children) button.setAttribute("aria-pressed", button.value === kept()); };
    mark();
    group.addEventListener("click", event => {
      const button = event.target.closest("button");
      if (!button) return;
      try { localStorage.setItem("theme", button.value); } catch { /* private windows keep nothing */ }
      apply(button.value);
      mark();
    });
  });
  addEventListener("storage", event => { if (event.key === "theme") apply(kept()); });
})();

// A search that reads the table bit by bit: it goes on while it can be seen, and stops when told to.
const table = document.getElementById("list");
const sentinel = element => element?.closest?.("#list > .searched");
const searched = () => [...table.tBodies].filter(body => body.classList.contains("searched"));
const show = () => searched().forEach(body => body.querySelector(".stop")?.removeAttribute("hidden"));

function stop(body) {
  body.dataset.stopped = "true";
  window.htmx.trigger(body, "htmx:abort");
  body.querySelector(".stop")?.remove();
  body.querySelector("a").focus({ preventScroll: true });
}

/** Lets the reader's own click through; what comes by itself waits while stopped or out of sight. */
function mayContinue(event) {
  const source = event.detail.ctx?.sourceElement || event.detail.elt;
  const body = sentinel(source);
  if (!body || source.matches("a")) return;
  if (document.hidden) body.dataset.paused = "true";
  if (body.dataset.stopped || document.hidden) event.preventDefault();
}

function resume() {
  if (document.hidden) return;
  for (const body of searched().filter(each => each.dataset.paused)) {
    delete body.dataset.paused;
    if (!body.dataset.stopped) body.querySelector("a").click();
  }
}

table.addEventListener("click", event => {
  if (event.target.closest(".stop")) stop(sentinel(event.target));
});
for (const name of ["htmx:before:request", "htmx:beforeRequest"]) document.addEventListener(name, mayContinue);
document.addEventListener("visibilitychange", resume);
document.addEventListener("kamioi:rows", show);
show();

// What did not arrive: the rows that are there stay, and a row in the sentinel's place offers to try again.
const NOT_OURS = "Something between here and the server answered instead of it.";
const NO_ANSWER = "The server did not answer.";

const sourceOf = event => event.detail.ctx?.sourceElement || event.detail.elt;

/** Fragments say that they are fragments; anything else (a proxy's page, a login page) is never swapped in. */
function isOurs(status, header) {
  return header("X-Fragment") === "1" || header("HX-Redirect") || status === 204 || status === 304;
}

function checkResponse(event) {
  const { ctx } = event.detail;
  const { status, headers } = ctx.response;
  if (isOurs(status, name => headers.get(name))) return;
  event.preventDefault();
  failed(ctx.sourceElement, NOT_OURS);
}

function checkResponse2(event) {
  const { xhr, elt } = event.detail;
  if (isOurs(xhr.status, name => xhr.getResponseHeader(name))) return;
  event.preventDefault();
  failed(elt, NOT_OURS);
}

function failed(source, message) {
  const sentinel = source?.closest?.("#list > .more, #list > .problem");
  if (sentinel) retryRow(sentinel, message);
  else if (source?.matches?.(".pending")) retryBox(source, message);
  document.getElementById("live").textContent = sentinel ? `${message} Rows could not be loaded.` : "";
}

/** Turns the sentinel into a row with Retry: the same address, and the plain link for a new tab. */
function retryRow(sentinel, message) {
  const link = sentinel.querySelector("a[hx-get]");
  const line = document.createElement("span");
  line.className = "problem-line";
  const words = document.createElement("b");
  words.textContent = message;
  link.textContent = "Retry";
  line.append(words, link);
  sentinel.querySelector("td").replaceChildren(line);
  sentinel.classList.add("problem");
}

function retryBox(box, message) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chip";
  button.textContent = "Retry";
  button.addEventListener("click", () => { box.replaceChildren(); document.body.dispatchEvent(new CustomEvent("kamioi:tick")); });
  const line = document.createElement("div");
  line.className = "problem-box";
  line.append(message, button);
  box.replaceChildren(line);
}

const on = (names, handler) => names.forEach(name => document.addEventListener(name, handler));
on(["htmx:before:response"], checkResponse);
on(["htmx:beforeOnLoad"], checkResponse2);
on(["htmx:error", "htmx:sendError", "htmx:timeout"], event => failed(sourceOf(event), NO_ANSWER));

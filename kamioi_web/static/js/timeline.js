// The timeline as a slider: it follows the reader, and goes where it is let go.
let cursor = "";
let slider = null;

const box = () => document.getElementById("timeline");
const bars = () => [...box().querySelectorAll(".bars a")];
const isLying = () => box().clientWidth > box().clientHeight;

/** The bar that holds a moment; bars run from the newest to the oldest. */
function barOf(moment) {
  const all = bars();
  const day = moment.slice(0, 10);
  return Math.max(0, all.findLastIndex(bar => new URLSearchParams(bar.href.baseVal.split("?")[1]).get("date") >= day));
}

/** Covers the bars with a slider; their links leave the tab order, the slider stands for them. */
function build() {
  if (!box() || !bars().length || box().querySelector(".slider")) return;
  const svg = box().querySelector(".bars");
  slider = document.createElement("div");
  slider.className = "slider";
  slider.tabIndex = 0;
  const attributes = { role: "slider", "aria-label": svg.getAttribute("aria-label"), "aria-valuemin": 1, "aria-valuemax": bars().length, "aria-description": "Arrow keys choose, Enter goes there" };
  for (const [name, value] of Object.entries(attributes)) slider.setAttribute(name, value);
  slider.setAttribute("aria-orientation", isLying() ? "horizontal" : "vertical");
  svg.setAttribute("aria-hidden", "true");
  for (const bar of bars()) bar.setAttribute("tabindex", "-1");
  const marker = document.createElement("div");
  marker.className = "marker";
  box().append(marker, slider);
  listen();
  follow();
}

/** Shows one bar as chosen: marker, value, and the bubble while a hand is on it. */
function choose(index, inHand) {
  const all = bars();
  const bar = all[Math.max(0, Math.min(index, all.length - 1))];
  const rect = bar.querySelector("rect");
  const at = parseFloat(rect.getAttribute("y")) + parseFloat(rect.getAttribute("height")) / 2;
  box().style.setProperty("--at", `${at}%`);
  slider.setAttribute("aria-valuenow", all.indexOf(bar) + 1);
  slider.setAttribute("aria-valuetext", bar.querySelector("title").textContent);
  box().querySelector(".bars .here")?.classList.remove("here");
  bar.classList.add("here");
  bubble(inHand ? bar.querySelector("title").textContent : "");
}

function bubble(text) {
  let element = document.querySelector(".bubble");
  if (!text) return element?.remove();
  if (!element) {
    element = document.createElement("div");
    element.className = "bubble";
    document.body.append(element);
  }
  element.textContent = text;
  const rect = box().querySelector(".bars .here rect").getBoundingClientRect();
  const lying = isLying();
  element.style.right = lying ? "auto" : `${innerWidth - box().getBoundingClientRect().left + 8}px`;
  element.style.left = lying ? `${Math.min(rect.left, innerWidth - element.offsetWidth - 8)}px` : "auto";
  element.style.top = lying ? `${box().getBoundingClientRect().top - 36}px` : `${rect.top + rect.height / 2 - 14}px`;
}

const chosen = () => Number(slider.getAttribute("aria-valuenow")) - 1;
const go = () => { bubble(""); location.assign(bars()[chosen()].href.baseVal); };

/** The bar under a point of the screen. */
function barAt(event) {
  const area = slider.getBoundingClientRect();
  const share = isLying() ? (event.clientX - area.left) / area.width : (event.clientY - area.top) / area.height;
  const tops = bars().map(bar => parseFloat(bar.querySelector("rect").getAttribute("y")));
  const index = tops.findIndex(top => top > share * 100);
  return index < 0 ? tops.length - 1 : Math.max(0, index - 1);
}

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, PageDown: 12, PageUp: -12, Home: -1e4, End: 1e4 };

function press(event) {
  if (event.key === "Enter" || event.key === " ") go();
  else if (event.key === "Escape") { follow(); }
  else if (event.key in STEPS) choose(chosen() + STEPS[event.key], true);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function listen() {
  let held = false;
  slider.addEventListener("pointerdown", event => { held = true; slider.setPointerCapture(event.pointerId); choose(barAt(event), true); });
  slider.addEventListener("pointermove", event => { held ? choose(barAt(event), true) : hover(barAt(event)); });
  slider.addEventListener("pointerup", () => { if (held) go(); held = false; });
  slider.addEventListener("pointercancel", () => { held = false; follow(); });
  slider.addEventListener("pointerleave", () => { if (!held) bubble(""); });
  slider.addEventListener("keydown", press);
  slider.addEventListener("blur", follow);
}

const hover = index => { slider.title = bars()[index].querySelector("title").textContent; };

/** Goes back to where the reader is. */
function follow() {
  if (!slider?.isConnected) return;
  const here = bars().findIndex(bar => bar.classList.contains("here"));
  choose(cursor ? barOf(cursor) : Math.max(here, 0), false);
}

document.addEventListener("kamioi:place", event => { cursor = event.detail.cursor; if (document.activeElement !== slider) follow(); });
for (const name of ["htmx:after:swap", "htmx:afterSettle"]) document.addEventListener(name, build);
build();

// The address of the view to the clipboard, and ages that stay true while the page is open.
const EVERY = 5_000;
const toast = document.getElementById("toast");

function say(text) {
  document.getElementById("live").textContent = text;
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.hidden = true; }, 3000);
}

document.getElementById("copy-link").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    say("Link copied");
  } catch {
    say("This browser lets no page copy; copy the address instead");
  }
});

const UNITS = [[86_400, "days"], [3_600, "h"], [60, "min"], [1, "s"]];
function age(seconds) {
  const [size, unit] = UNITS.find(([least]) => seconds >= least) || [1, "s"];
  return `${Math.floor(seconds / size)} ${unit}`;
}

// Ages count on from what the server said, so a clock that is wrong here does no harm.
const seen = new WeakMap();
function keepAges() {
  for (const time of document.querySelectorAll(".again time")) {
    if (!seen.has(time)) seen.set(time, { since: performance.now(), was: secondsOf(time.textContent) });
    const { since, was } = seen.get(time);
    time.textContent = age(was + (performance.now() - since) / 1000);
  }
}
function secondsOf(text) {
  const [number, unit] = text.split(" ");
  return Number(number) * UNITS.find(([, name]) => name === unit)[0];
}
setInterval(() => { if (!document.hidden) keepAges(); }, EVERY);
keepAges();

// Figures refresh themselves while they can be seen: elements listen to "kamioi:tick" on the body.
const EVERY = 20_000;
const tick = () => { if (!document.hidden) document.body.dispatchEvent(new CustomEvent("kamioi:tick")); };
setInterval(tick, EVERY);

// The age at the bottom is that of the summary last shown.
function copyAge() {
  const age = document.getElementById("summary")?.dataset.age;
  const place = document.getElementById("age");
  if (age && place) place.textContent = age;
}
for (const name of ["htmx:after:swap", "htmx:afterSettle"]) document.addEventListener(name, copyAge);

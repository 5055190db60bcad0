// A page that Back brings out of the browser's memory asks whether its session goes on; the login form answers only
// to those who have none, everyone else is sent on.
async function check(event) {
  if (!event.persisted) return;
  const answer = await fetch("/login", { redirect: "manual", cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.reload();
}

addEventListener("pageshow", check);

// How far a job is stands in the title of its tab too.
const show = () => {
  const job = document.getElementById("job-progress");
  if (job?.dataset.title) document.title = `${job.dataset.title} · Kamioi`;
};
for (const name of ["htmx:after:swap", "htmx:afterSettle"]) document.addEventListener(name, show);

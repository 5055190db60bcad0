// A form that is sent again does nothing a second time; one that was changed before it is sent again is another one.
const fresh = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const renew = (event) => {
  const key = event.target.form?.elements.namedItem("once");
  if (key) key.value = fresh();
};
for (const name of ["input", "change"]) document.addEventListener(name, renew);

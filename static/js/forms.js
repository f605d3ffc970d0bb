// Forms: busy buttons and no double submit, the drop zone, filters that apply themselves, focus on errors.

function releaseBusy() {
  for (const button of document.querySelectorAll("[data-was-busy]")) {
    button.removeAttribute("aria-busy");
    delete button.dataset.wasBusy;
    delete button.form?.dataset.submitted;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.matches("[hx-post], [hx-put], [hx-patch], [hx-delete], [hx-get], [target=_blank]")) return;
  if (form.method !== "post") return;
  if (form.dataset.submitted) {
    event.preventDefault();
    return;
  }
  form.dataset.submitted = "yes";
  const button = event.submitter;
  if (!button) return;
  // Not disabled: a disabled submitter would lose its own name and value.
  button.setAttribute("aria-busy", "true");
  button.dataset.wasBusy = "yes";
});

// Back from the next page shows this one from memory, as it was left.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) releaseBusy();
});

document.addEventListener("change", (event) => {
  const filter = event.target.closest("[data-filter-bar]");
  if (filter && event.target.matches("select, input[type=checkbox]")) {
    keep(FILTER_KEY, event.target.id);
    filter.requestSubmit();
  }

  const zone = event.target.closest("[data-drop-zone]");
  if (zone && event.target.type === "file") showFiles(zone, event.target.files);

  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

// A filter that applied itself has the focus again, so that the keyboard goes on from there.
const FILTER_KEY = "stockcast-filter";

function keep(key, value) {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // Without storage the focus starts at the top.
  }
}

function take(key) {
  try {
    const value = sessionStorage.getItem(key);
    sessionStorage.removeItem(key);
    return value;
  } catch {
    return null;
  }
}

const filtered = document.getElementById(take(FILTER_KEY) ?? "");
if (filtered?.closest("[data-filter-bar]")) filtered.focus({ preventScroll: true });

// Empty filters stay out of the address.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-filter-bar]")) return;
  for (const control of event.target.elements) {
    if (control.name && control.value === "") control.disabled = true;
  }
  setTimeout(() => {
    for (const control of event.target.elements) control.disabled = false;
  });
});

function readableSize(bytes) {
  const steps = ["B", "kB", "MB", "GB"];
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), steps.length - 1);
  const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: step ? 1 : 0 });
  return `${number.format(bytes / 1000 ** step)} ${steps[step]}`;
}

function showFiles(zone, files) {
  const names = [...files].map((file) => `${file.name} (${readableSize(file.size)})`);
  zone.querySelector("[data-drop-zone-file]").textContent = names.join(", ");
  zone.classList.toggle("has-file", names.length > 0);
}

for (const [name, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(name, (event) => {
    event.target.closest?.("[data-drop-zone]")?.classList.toggle("is-over", over);
  });
}

function focusErrors(scope) {
  scope.querySelector?.("[data-error-summary]")?.focus();
}

// A link of the summary goes to the control, not only to its place.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-error-summary] a[href^='#']");
  const control = link && document.getElementById(link.hash.slice(1));
  if (!control) return;
  event.preventDefault();
  control.focus();
  control.scrollIntoView({ block: "center" });
});

document.addEventListener("htmx:afterSwap", (event) => focusErrors(event.detail.target));
focusErrors(document);

// Bulk selection: <form data-selection> with checkboxes data-select, one data-select-all, and a selection bar.

function update(form) {
  const boxes = [...form.querySelectorAll("[data-select]")];
  const ticked = boxes.filter((box) => box.checked).length;
  const all = form.querySelector("[data-select-all]");
  if (all) {
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
  const bar = form.querySelector("[data-selection-bar]");
  if (!bar) return;
  bar.hidden = ticked === 0;
  bar.querySelector("[data-selection-count]").textContent = new Intl.NumberFormat(
    document.documentElement.lang,
  ).format(ticked);
}

let lastBox = null;

document.addEventListener("click", (event) => {
  const clear = event.target.closest("[data-selection-clear]");
  if (clear) {
    const form = clear.closest("[data-selection]");
    for (const box of form.querySelectorAll("[data-select]")) box.checked = false;
    update(form);
  }
  const box = event.target.closest("[data-select]");
  if (!box) return;
  // Shift selects the rows in between, as in every list of mail.
  const form = box.closest("[data-selection]");
  const boxes = [...form.querySelectorAll("[data-select]")];
  if (event.shiftKey && lastBox && boxes.includes(lastBox)) {
    const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
    update(form);
  }
  lastBox = box;
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-selection]");
  if (!form) return;
  if (event.target.matches("[data-select-all]")) {
    for (const box of form.querySelectorAll("[data-select]")) box.checked = event.target.checked;
  }
  if (event.target.matches("[data-select], [data-select-all]")) update(form);
});

function updateAll() {
  for (const form of document.querySelectorAll("[data-selection]")) update(form);
}

document.addEventListener("htmx:afterSettle", updateAll);
window.addEventListener("pageshow", updateAll);

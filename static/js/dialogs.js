// Native dialogs: data-dialog-open="<id>", data-dialog-close, and data-confirm / hx-confirm questions.

const confirmDialog = document.getElementById("confirm-dialog");
let onYes = null;

function ask(question, { tone = "", label = "" }, action) {
  const yes = confirmDialog.querySelector("[data-confirm-yes]");
  confirmDialog.querySelector("#confirm-text").textContent = question;
  yes.textContent = label || yes.dataset.label;
  yes.classList.toggle("button-danger", tone === "danger");
  yes.classList.toggle("button-primary", tone !== "danger");
  onYes = action;
  confirmDialog.showModal();
}

function settings(element) {
  return { tone: element.dataset.confirmTone, label: element.dataset.confirmLabel };
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) document.getElementById(opener.dataset.dialogOpen)?.showModal();

  if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog")?.close();

  if (event.target.closest("[data-confirm-yes]")) {
    const action = onYes;
    onYes = null;
    confirmDialog.close();
    action?.();
  }

  // A click on the backdrop lands on the dialog itself.
  if (event.target instanceof HTMLDialogElement && event.target.open) {
    const box = event.target.getBoundingClientRect();
    const inside =
      event.clientX >= box.left && event.clientX <= box.right &&
      event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) event.target.close();
  }
});

// A submit is held back once, and let through after the yes.
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    const source = event.submitter?.dataset.confirm ? event.submitter : form;
    if (!source.dataset?.confirm) return;
    if (form.dataset.confirmed) {
      delete form.dataset.confirmed;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const submitter = event.submitter;
    ask(source.dataset.confirm, settings(source), () => {
      form.dataset.confirmed = "yes";
      form.requestSubmit(submitter ?? undefined);
    });
  },
  true,
);

document.addEventListener("htmx:confirm", (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  ask(event.detail.question, settings(event.target), () => event.detail.issueRequest(true));
});

// A part of the page that renews itself would take away the form that the question is about.
for (const [moment, hold] of [
  ["htmx:beforeRequest", (event) => event.preventDefault()],
  ["htmx:beforeSwap", (event) => { event.detail.shouldSwap = false; }],
]) {
  document.addEventListener(moment, (event) => {
    if (confirmDialog?.open) hold(event);
  });
}

// A server answer may close the dialog it came from with HX-Trigger: closeDialog.
document.addEventListener("closeDialog", (event) => event.target.closest("dialog")?.close());

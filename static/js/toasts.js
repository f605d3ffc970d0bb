// Short notices at the corner: the event "toast" {text, tone}, sent by scripts or by HX-Trigger, and failed requests.

const holder = document.getElementById("toasts");
const SHOWN_MS = 6000;
const ICONS = { success: "check-circle", warning: "alert", danger: "x-circle", info: "info" };

function drawIcon(name, small = false) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", small ? "icon icon-sm" : "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.documentElement.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

// What asks again every other second is refused as often: that is said once.
function isShown(text) {
  return [...holder.querySelectorAll(".alert-danger .alert-body")].some((body) => body.textContent === text);
}

function showToast({ text, tone = "info", offline = false }) {
  if (isShown(text)) return;
  const toast = document.createElement("div");
  toast.toggleAttribute("data-offline", offline);
  toast.className = `alert alert-${tone} toast`;
  const body = document.createElement("div");
  body.className = "alert-body";
  body.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "alert-close";
  close.dataset.dismiss = "";
  close.setAttribute("aria-label", holder.dataset.dismissLabel);
  close.append(drawIcon("close", true));
  toast.append(drawIcon(ICONS[tone] ?? "info"), body, close);
  holder.append(toast);
  // A refusal stays until it is read.
  if (tone !== "danger") setTimeout(() => toast.remove(), SHOWN_MS);
}

document.addEventListener("toast", (event) => showToast(event.detail));
document.addEventListener("htmx:sendError", () => {
  showToast({ text: holder.dataset.offline, tone: "danger", offline: true });
});
document.addEventListener("htmx:afterOnLoad", () => {
  for (const toast of holder.querySelectorAll("[data-offline]")) toast.remove();
});
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  const type = xhr.getResponseHeader("content-type") ?? "";
  let text = holder.dataset.failed;
  if (type.includes("json")) {
    try {
      text = JSON.parse(xhr.responseText).detail ?? text;
    } catch {
      // A broken body says nothing better than the general sentence.
    }
  }
  showToast({ text, tone: "danger" });
});

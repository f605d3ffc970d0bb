// The shell: menus that close themselves, the theme choice, and dismissible messages.

const root = document.documentElement;
const THEME_KEY = "stockcast-theme";

function markTheme() {
  const current = root.dataset.theme ?? "system";
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === current));
  }
}

function chooseTheme(choice) {
  if (choice === "system") delete root.dataset.theme;
  else root.dataset.theme = choice;
  try {
    if (choice === "system") localStorage.removeItem(THEME_KEY);
    else localStorage.setItem(THEME_KEY, choice);
  } catch {
    // Without storage the choice lasts for this page.
  }
  markTheme();
  document.dispatchEvent(new CustomEvent("themechange"));
}

function closeMenus(except = null) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (menu !== except) menu.open = false;
  }
}

document.addEventListener("click", (event) => {
  closeMenus(event.target.closest("details[data-menu]"));
  const theme = event.target.closest("[data-theme-choice]");
  if (theme) chooseTheme(theme.dataset.themeChoice);
  event.target.closest("[data-dismiss]")?.closest(".alert, .toast")?.remove();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details[data-menu][open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

// A session that ended answers a fragment with the sign-in page: the whole page goes there instead.
document.addEventListener("htmx:beforeSwap", (event) => {
  const answered = new URL(event.detail.xhr.responseURL || location.href, location.href);
  if (!answered.pathname.startsWith("/accounts/") || location.pathname.startsWith("/accounts/")) return;
  event.detail.shouldSwap = false;
  location.reload();
});

// A part that renews itself keeps the reader's place: what has the focus and which folds are open.
const placesIn = (part) => [...part.querySelectorAll("a[href], button, input, select, summary")];
const foldsIn = (part) => [...part.querySelectorAll("details")];
let place = null;

document.addEventListener("htmx:beforeSwap", ({ detail: { target: part } }) => {
  place = null;
  if (!part?.id || !part.hasAttribute("hx-get")) return;
  const index = placesIn(part).indexOf(document.activeElement);
  const words = document.activeElement.textContent;
  place = { id: part.id, index, words, open: foldsIn(part).map((fold) => fold.open) };
});

document.addEventListener("htmx:afterSwap", () => {
  const part = place && document.getElementById(place.id);
  if (!part) return;
  foldsIn(part).forEach((fold, index) => { fold.open = place.open[index] ?? fold.open; });
  const there = placesIn(part)[place.index];
  if (there?.textContent === place.words) there.focus({ preventScroll: true });
  place = null;
});

async function copy(button) {
  const words = document.getElementById("toasts").dataset;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    document.dispatchEvent(new CustomEvent("toast", { detail: { text: words.copied, tone: "success" } }));
  } catch {
    document.dispatchEvent(new CustomEvent("toast", { detail: { text: words.copyFailed, tone: "danger" } }));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.dispatchEvent(new CustomEvent("themechange"));
});

// A drawer left open must not cover the page once it is a column.
matchMedia("(min-width: 64rem)").addEventListener("change", (event) => {
  const sidebar = document.getElementById("sidebar");
  if (event.matches && sidebar?.matches(":popover-open")) sidebar.hidePopover();
});

// The menu is longer than many screens: the place one is at must be seen.
document.querySelector(".nav [aria-current='page']")?.scrollIntoView({ block: "nearest" });

markTheme();

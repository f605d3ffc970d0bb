// Applies the remembered colour theme before the first paint. A blocking script on purpose.
(() => {
  try {
    const choice = localStorage.getItem("stockcast-theme");
    if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
  } catch {
    // Storage can be switched off; the system theme serves then.
  }
})();

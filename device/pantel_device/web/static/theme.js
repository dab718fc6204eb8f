// Runs before the page is painted, so that nobody who wants it dark is dazzled: hence a script, not a module.
(() => {
  let theme = "system";
  try {
    theme = JSON.parse(localStorage.getItem("pantel") ?? "{}").theme ?? theme;
  } catch {
    // Nothing readable is stored, or nothing may be: the system's choice holds.
  }
  if (theme === "light" || theme === "dark") document.documentElement.style.colorScheme = theme;
})();

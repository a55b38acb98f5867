// Runs before the first paint: marks that scripts run, and applies the remembered theme.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";
  try {
    const theme = localStorage.getItem("guildhall.theme");
    if (theme === "light" || theme === "dark") root.dataset.bsTheme = theme;
  } catch {
    // Storage may be forbidden; then the system decides.
  }
})();

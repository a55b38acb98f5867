// What makes the pages quicker in the hand. Every page works without this module.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const typing = (element) =>
  element instanceof HTMLElement &&
  (element.isContentEditable || element.matches("input:not([type=checkbox]):not([type=radio]), textarea, select"));

/* Dialogs: native, so they trap focus; closing gives it back to what opened them. */
function openDialog(dialog) {
  if (!dialog || dialog.open) return;
  const opener = document.activeElement;
  dialog.addEventListener("close", () => opener?.focus?.(), { once: true });
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (dialog) {
      event.preventDefault();
      openDialog(dialog);
    }
  }
  if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
  if (event.target instanceof HTMLDialogElement) event.target.close();
});

/* Theme: system, light or dark, remembered in this browser. */
function showTheme() {
  const now = document.documentElement.dataset.bsTheme ?? "system";
  for (const button of $$("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === now));
  }
}

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-theme-choice]")?.dataset.themeChoice;
  if (!choice) return;
  if (choice === "system") delete document.documentElement.dataset.bsTheme;
  else document.documentElement.dataset.bsTheme = choice;
  try {
    if (choice === "system") localStorage.removeItem("guildhall.theme");
    else localStorage.setItem("guildhall.theme", choice);
  } catch {
    // Not remembered where storage is forbidden.
  }
  showTheme();
});

/* Menus made of <details> close on a click elsewhere and on Escape. */
document.addEventListener("click", (event) => {
  for (const menu of $$("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

/* Forms: sent once, asked before leaving, dangerous steps confirmed. */
const changed = new Set();
const confirmed = new WeakSet();

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (form?.matches("[data-guard]")) changed.add(form);
});

addEventListener("beforeunload", (event) => {
  if ([...changed].some((form) => form.isConnected)) event.preventDefault();
});

function askFirst(form, submitter, sentence) {
  const dialog = $("#confirm");
  $("[data-confirm-text]", dialog).textContent = sentence;
  const yes = $("[data-confirm-yes]", dialog);
  yes.textContent = submitter?.textContent.trim() || yes.dataset.label;
  yes.onclick = () => {
    dialog.close();
    confirmed.add(form);
    form.requestSubmit(submitter);
  };
  openDialog(dialog);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const submitter = event.submitter;
  const sentence = submitter?.dataset.confirm ?? form.dataset.confirm;
  if (sentence && !confirmed.has(form) && $("#confirm")) {
    event.preventDefault();
    event.stopImmediatePropagation();
    askFirst(form, submitter, sentence);
    return;
  }
  confirmed.delete(form);
  if (form.dataset.sent !== undefined) {
    event.preventDefault();
    return;
  }
  changed.delete(form);
  if (form.method !== "post" || form.matches("[hx-post], [hx-put], [hx-patch], [hx-delete]")) return;
  form.dataset.sent = "";
  // After this turn of the loop, so that the pressed button's own value is still sent.
  setTimeout(() => {
    for (const button of $$("button:not([type=button])", form)) button.setAttribute("aria-disabled", "true");
    submitter?.setAttribute("aria-busy", "true");
  });
}, true);

// The back button may bring a page back as it was left: its forms can be sent again.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of $$("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of $$("button", form)) {
      button.removeAttribute("aria-disabled");
      button.removeAttribute("aria-busy");
    }
  }
});

function focusFirstError(root = document) {
  const wrong = $("form[method=post] [aria-invalid=true]", root) ?? $(".error-summary", root);
  if (!wrong) return;
  wrong.focus({ preventScroll: true });
  ($(".error-summary", root) ?? wrong).scrollIntoView({ block: "nearest" });
}

/* Lists: pick all, and the bar that acts on what is picked. */
function refreshPicked(list) {
  const boxes = $$("tbody .pick input", list);
  const picked = boxes.filter((box) => box.checked);
  const all = $("thead .pick input", list);
  if (all) {
    all.checked = picked.length > 0 && picked.length === boxes.length;
    all.indeterminate = picked.length > 0 && picked.length < boxes.length;
  }
  const bar = $(".bulk", list);
  if (!bar) return;
  bar.toggleAttribute("data-on", picked.length > 0);
  const words = $("[data-picked]", bar);
  words.textContent = words.dataset.picked.replace("{n}", String(picked.length));
}

document.addEventListener("change", (event) => {
  const list = event.target.closest(".list");
  if (!list || !event.target.closest(".pick")) return;
  if (event.target.closest("thead")) {
    for (const box of $$("tbody .pick input", list)) box.checked = event.target.checked;
  }
  refreshPicked(list);
});

document.addEventListener("click", (event) => {
  const clear = event.target.closest("[data-clear-picked]");
  if (!clear) return;
  const list = clear.closest(".list");
  for (const box of $$(".pick input", list)) box.checked = false;
  refreshPicked(list);
  $("tbody .pick input", list)?.focus();
});

/* Copy a code or a link. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const said = $("[role=status]", button.parentElement);
  if (said) said.textContent = button.dataset.copied;
});

/* Keyboard. */
const rows = () => $$(".queue-item, .list tbody tr:not([hidden])");

function step(by) {
  const all = rows();
  if (!all.length) return;
  const current = all.findIndex((row) => row.contains(document.activeElement) || row.matches("[aria-current]"));
  const next = all[Math.min(Math.max(current + by, 0), all.length - 1)];
  const link = next.matches("a") ? next : $("a", next);
  if (next.matches(".queue-item") && $(".split-page")) link.click();
  else link?.focus();
}

let going = 0;

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = document.activeElement?.closest("details.menu[open]");
    if (menu) {
      menu.open = false;
      $("summary", menu).focus();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || $("dialog[open]")) return;
  if (Date.now() - going < 1500) {
    going = 0;
    const target = $(`[data-go="${CSS.escape(event.key)}"]`);
    if (target) {
      event.preventDefault();
      target.click();
    }
    return;
  }
  const actions = {
    "/": () => {
      const search = $("[data-search]");
      if (search?.matches("a")) search.click();
      else search?.focus();
    },
    "?": () => openDialog($("#shortcuts")),
    g: () => { going = Date.now(); },
    j: () => step(1),
    k: () => step(-1),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

/* At the start, and again for what htmx has put in. */
function ready(root) {
  for (const list of $$(".list", root)) refreshPicked(list);
}

showTheme();
ready(document);
focusFirstError();
document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail?.ctx?.target ?? document;
  ready(document);
  if (target instanceof Element && target.matches("form, dialog, .form-page")) focusFirstError(target);
});

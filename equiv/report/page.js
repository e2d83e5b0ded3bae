"use strict";
// Filters what carries data-verdict, and opens what a link points into. The page reads well without it.
const $ = (selector, from = document) => [...from.querySelectorAll(selector)];
const form = $(".filter")[0], query = $("#query")[0], buttons = $("[data-filter]");
const items = $(".item").map(element => ({
  element,
  verdicts: element.dataset.verdict.trim().split(/\s+/),
  text: [element.id, element.dataset.text, element.textContent].join(" ").toLowerCase(),
}));

function filter() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = buttons.filter(b => b.getAttribute("aria-pressed") === "true").map(b => b.dataset.filter);
  for (const { element, verdicts, text } of items)
    element.hidden = !(words.every(w => text.includes(w)) && (!wanted.length || verdicts.some(v => wanted.includes(v))));
  for (const group of $(".group")) group.hidden = !$(".item", group).some(e => !e.hidden);
  const results = items.filter(i => i.element.tagName !== "TR");
  const shown = results.filter(i => !i.element.hidden).length;
  $("#shown")[0].textContent = `${shown} of ${results.length} shown`;
  $("#nothing")[0].hidden = shown > 0;
}

function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.closest("[hidden]")) clear();
  for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
  target.scrollIntoView();
}

function clear() {
  query.value = "";
  for (const b of buttons) b.setAttribute("aria-pressed", "false");
  filter();
}

for (const b of buttons)
  b.addEventListener("click", () => {
    b.setAttribute("aria-pressed", String(b.getAttribute("aria-pressed") !== "true"));
    filter();
  });
query.addEventListener("input", filter);
form.addEventListener("submit", event => event.preventDefault());
$("#unfold")[0].addEventListener("click", event => {
  const open = event.target.textContent === "Open all";
  for (const d of $("main details")) d.open = open;
  event.target.textContent = open ? "Close all" : "Open all";
});
for (const code of $(".command code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", () =>
    navigator.clipboard.writeText(code.textContent).then(
      () => { button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy"; }, 1500); },
      () => getSelection().selectAllChildren(code)));
  if (navigator.clipboard) code.after(button);
}
addEventListener("hashchange", reveal);
addEventListener("beforeprint", () => { for (const d of $("main details")) d.open = true; });
addEventListener("keydown", event => {
  if (event.key === "/" && event.target.tagName !== "INPUT") { event.preventDefault(); query.focus(); }
  if (event.key === "Escape" && event.target === query) clear();
});
form.hidden = false;
filter();
reveal();

// The search is a dialog to who hears the page, and Material gives it no name.
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");

// A short word of code, as an option is, is broken nowhere: neither behind its hyphens nor in a column.
const MOST_UNBROKEN = 32;
for (const code of document.querySelectorAll(".md-typeset :not(pre) > code")) {
  if (code.textContent.length <= MOST_UNBROKEN) code.classList.add("unbroken");
}

// On a narrow page a table's sentences are scrolled to, and not a word wide.
for (const cell of document.querySelectorAll(".md-typeset td")) {
  if (cell.textContent.length > 40) cell.classList.add("sentence");
}

// What can be scrolled is to be reached by keys: a table or a ladder wider than the window.
const scrolled = '.md-typeset__scrollwrap, .md-typeset p:has(> img[src*="pictures/"])';
const reachable = () => {
  for (const box of document.querySelectorAll(scrolled)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
new ResizeObserver(reachable).observe(document.body);
new MutationObserver(reachable).observe(document.body, { childList: true, subtree: true });

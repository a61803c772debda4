// The search is a dialog to who hears the page, and Material gives it no name.
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");

// What can be scrolled is to be reached by keys: a table that is wider than the window.
const reachable = () => {
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) {
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
    else table.removeAttribute("tabindex");
  }
};
new ResizeObserver(reachable).observe(document.body);
new MutationObserver(reachable).observe(document.body, { childList: true, subtree: true });

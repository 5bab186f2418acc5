// Opened from a folder on disk, a browser refuses to read the pages that search summaries are cut
// from: list the titles only.
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

// A formula wider than the screen scrolls: let the keyboard reach it, but only then.
function markScrollingFormulas() {
  document.querySelectorAll(".tb-formula").forEach((box) => {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
    } else {
      box.removeAttribute("tabindex");
    }
  });
}
window.addEventListener("load", markScrollingFormulas);
window.addEventListener("resize", markScrollingFormulas);

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

// The list of all statements: filter by words and verdict, sort by column. Without this script the
// table is complete and readable; only the controls are missing.
function addTableControls(figure) {
  const table = figure.querySelector("table");
  const rows = [...table.tBodies[0].rows];
  const words = rows.map((row) => row.textContent.toLowerCase());
  const verdicts = rows.map((row) => row.querySelector(".tb-verdict")?.textContent ?? "");

  const bar = document.createElement("form");
  bar.className = "tb-filter";
  bar.setAttribute("role", "search");
  bar.addEventListener("submit", (event) => event.preventDefault());
  const box = document.createElement("input");
  box.type = "search";
  box.placeholder = "Filter by word, number or claim";
  box.setAttribute("aria-label", "Filter statements by word, number or claim");
  const choice = document.createElement("select");
  choice.setAttribute("aria-label", "Show only one verdict");
  choice.append(new Option("all verdicts", ""));
  [...new Set(verdicts)].sort().forEach((verdict) => choice.append(new Option(verdict, verdict)));
  const count = document.createElement("output");
  count.setAttribute("aria-live", "polite");
  bar.append(box, choice, count);
  figure.querySelector(".tb-scroll").before(bar);

  function filter() {
    const wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      const fits =
        wanted.every((word) => words[i].includes(word)) &&
        (!choice.value || verdicts[i] === choice.value);
      row.hidden = !fits;
      shown += fits;
    });
    count.value = `${shown} of ${rows.length} statements`;
  }
  box.addEventListener("input", filter);
  choice.addEventListener("change", filter);
  filter();

  const number = (text) => parseFloat(text.replace(/,/g, "").replace("−", "-"));
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      [...table.tHead.rows[0].cells].forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].textContent.trim();
      const numeric = head.classList.contains("num");
      const sorted = [...rows].sort((a, b) => {
        if (!numeric) return key(a).localeCompare(key(b), "en", { numeric: true });
        const [x, y] = [number(key(a)), number(key(b))];
        return isNaN(x) ? (isNaN(y) ? 0 : 1) : isNaN(y) ? -1 : x - y;
      });
      table.tBodies[0].append(...(down ? sorted.reverse() : sorted));
    });
  });

  // An address like #thesis-2.1-004 must show its row, whatever the filter says.
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const row = target?.closest("tr");
    if (row && table.contains(row)) {
      row.hidden = false;
      target.scrollIntoView({ block: "center" });
    }
  }
  window.addEventListener("hashchange", reveal);
  reveal();
}
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("#tab-audit-all").forEach(addTableControls);
});

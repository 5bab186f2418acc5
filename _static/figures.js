// Below a figure: “Code” unfolds the cell that made it; the link then leads there by itself.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.tb-code");
  const fold = link && document.getElementById(link.hash.slice(1))?.closest("details");
  if (fold) fold.open = true;
});

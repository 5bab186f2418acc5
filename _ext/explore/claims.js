// The list of all statements: filter by words, verdict, chapter, document and kind, sort by column, and keep all that
// in the address. Without this script the table is complete and readable; only the controls are missing.
(() => {
  const figure = document.querySelector("#tab-audit-all");
  if (!figure) return;
  const SOURCES = {
    thesis: "master's thesis",
    chtf: "trade-fair news",
    "us-china-brief": "policy brief",
    "patents-paper": "patents paper",
    "shandong-paper": "Shandong paper",
  };
  const make = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const table = figure.querySelector("table");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const titles = heads.map((head) => head.textContent.trim());
  const column = (title) => titles.indexOf(title);
  const rows = [...body.rows].map((row, place) => {
    const id = row.querySelector("a[id]").id;
    const chip = row.querySelector(".tb-verdict");
    return {
      row,
      place,
      shown: true,
      fits: true,
      text: row.textContent.toLowerCase(),
      verdict: [...chip.classList].find((name) => name !== "tb-verdict").slice(3),
      chapter: row.cells[column("chapter")].textContent.trim(),
      source: Object.keys(SOURCES).find((name) => id.startsWith(`${name}-`)),
      kind: row.dataset.kind,
    };
  });
  const verdicts = new Map();
  rows.forEach(({ row, verdict }) => verdicts.set(verdict, row.querySelector(".tb-verdict").textContent));
  const values = (key) => [...new Set(rows.map((one) => one[key]).filter(Boolean))].sort();

  // --- controls ------------------------------------------------------------------------------------
  const bar = make("form", { className: "tb-filter" });
  bar.setAttribute("role", "search");
  bar.setAttribute("aria-label", "Statements");
  bar.addEventListener("submit", (event) => event.preventDefault());
  const field = (label, control) => bar.append(make("label", {}, make("span", { textContent: label }), control));
  const box = make("input", {
    type: "search",
    name: "q",
    autocomplete: "off",
    spellcheck: false,
    placeholder: "word, number or identifier",
  });
  field("Statements with", box);
  const selects = {};
  const choice = (key, label, all, name) => {
    const select = make("select", { name: key });
    select.append(new Option(all, ""), ...values(key).map((value) => new Option(name(value), value)));
    selects[key] = select;
    field(label, select);
  };
  choice("chapter", "Chapter", "all", (value) => value);
  choice("source", "Document", "all", (value) => SOURCES[value]);
  choice("kind", "Kind", "all", (value) => value.replace("-", " "));
  // On a phone, where the rows are cards, this stands for the heads of the columns.
  const sorter = make("select", { name: "sort" });
  sorter.append(
    new Option("as in the documents", ""),
    ...titles.flatMap((title) => [new Option(`${title} ↑`, title), new Option(`${title} ↓`, `-${title}`)]),
  );
  field("Order", sorter);
  sorter.parentElement.classList.add("tb-sorter");
  const group = make("div", { className: "tb-by-verdict" });
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Show only these verdicts");
  const buttons = new Map();
  ["confirmed", "approximately-right", "depends", "contradicted", "inconsistent", "not-checkable"]
    .filter((v) => verdicts.has(v))
    .forEach((verdict) => {
      const count = make("b");
      const button = make(
        "button",
        { type: "button", className: `tb-verdict tb-${verdict}` },
        `${verdicts.get(verdict)} `,
        count,
      );
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
        filter();
      });
      buttons.set(verdict, { button, count });
      group.append(button);
    });
  const summary = make("output");
  summary.setAttribute("aria-live", "polite");
  const reset = make("button", { type: "button", textContent: "Show all", hidden: true });
  bar.append(group, make("p", {}, summary, " ", reset));
  figure.querySelector(".tb-scroll").before(bar);

  // --- filter --------------------------------------------------------------------------------------
  const pressed = () =>
    [...buttons].filter(([, { button }]) => button.getAttribute("aria-pressed") === "true").map(([verdict]) => verdict);

  // A table of all rows takes a browser long to lay out. Once a reader filters or sorts, it holds the first rows that
  // fit, and more of them as the reader comes to its end.
  const STEP = 30;
  let most = Infinity;
  const more = make("button", { type: "button" });
  const end = make("p", { className: "tb-more", hidden: true }, more);
  table.after(end);
  function draw() {
    let fitting = 0;
    rows.forEach((one) => {
      fitting += one.fits;
      const show = one.fits && fitting <= most;
      if (show !== one.shown) one.row.hidden = !show;
      one.shown = show;
    });
    end.hidden = fitting <= most;
    more.textContent = `Show more: ${Math.max(0, fitting - most)} are left`;
  }
  function extend() {
    most += STEP;
    draw();
  }
  more.addEventListener("click", () => {
    const next = rows.filter((one) => one.fits)[most];
    extend();
    next?.row.querySelector("a[id]").focus({ preventScroll: true });
  });
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && extend(), {
    rootMargin: "300px",
  }).observe(end);
  window.addEventListener("beforeprint", () => {
    most = Infinity;
    draw();
  });

  function filter({ store = true } = {}) {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = pressed();
    const counts = new Map();
    let fitting = 0;
    rows.forEach((one) => {
      const fits =
        words.every((word) => one.text.includes(word)) &&
        Object.entries(selects).every(([key, { value }]) => !value || one[key] === value);
      if (fits) counts.set(one.verdict, (counts.get(one.verdict) ?? 0) + 1);
      one.fits = fits && (!chosen.length || chosen.includes(one.verdict));
      fitting += one.fits;
    });
    most = store ? STEP : Infinity;
    draw();
    // The count beside a verdict is what choosing it would show.
    buttons.forEach(({ count }, verdict) => (count.textContent = counts.get(verdict) ?? 0));
    summary.value =
      fitting === rows.length
        ? `All ${rows.length} statements`
        : fitting
          ? `${fitting} of ${rows.length} statements`
          : "No statement fits: use fewer words or show more verdicts.";
    reset.hidden = !(words.length || chosen.length || Object.values(selects).some(({ value }) => value));
    if (store) later();
  }
  box.addEventListener("input", () => filter());
  Object.values(selects).forEach((select) => select.addEventListener("change", () => filter()));
  reset.addEventListener("click", () => {
    box.value = "";
    Object.values(selects).forEach((select) => (select.value = ""));
    buttons.forEach(({ button }) => button.setAttribute("aria-pressed", "false"));
    filter();
    box.focus();
  });

  // --- sort ----------------------------------------------------------------------------------------
  const collator = new Intl.Collator("en", { numeric: true });
  const number = (text) => parseFloat(text.replaceAll(",", "").replace("−", "-"));
  let order = "";

  // `order` is a column's title, with a minus in front from the largest down; empty is the order of the documents.
  function sort() {
    const down = order.startsWith("-");
    const at = column(down ? order.slice(1) : order);
    heads.forEach((head, i) =>
      i === at ? head.setAttribute("aria-sort", down ? "descending" : "ascending") : head.removeAttribute("aria-sort"),
    );
    if (at < 0) {
      rows.sort((a, b) => a.place - b.place);
    } else {
      const numeric = heads[at].classList.contains("num");
      const keys = new Map(
        rows.map((one) => {
          const text = (at === 0 ? one.row.querySelector("a[id]").id : one.row.cells[at].textContent).trim();
          return [one, numeric ? number(text) : text];
        }),
      );
      const compare = numeric ? (x, y) => x - y : collator.compare;
      rows.sort((a, b) => {
        const [x, y] = [keys.get(a), keys.get(b)];
        // What has no value stands at the end, whichever way.
        const [noX, noY] = [x, y].map((key) => key === "" || Number.isNaN(key));
        if (noX || noY) return noX - noY || a.place - b.place;
        return (down ? -1 : 1) * compare(x, y) || a.place - b.place;
      });
    }
    most = Math.min(most, STEP);
    draw();
    body.append(...rows.map(({ row }) => row));
    sorter.value = order;
  }
  sorter.addEventListener("change", () => {
    order = sorter.value;
    sort();
    later();
  });
  heads.forEach((head, i) => {
    const button = make("button", { type: "button", textContent: titles[i] });
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      order = order === titles[i] ? `-${titles[i]}` : order === `-${titles[i]}` ? "" : titles[i];
      sort();
      later();
    });
  });

  // --- the address ---------------------------------------------------------------------------------
  let timer = 0;
  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const address = new URL(location.href);
      const state = { q: box.value.trim(), verdict: pressed().join("."), sort: order };
      Object.entries(selects).forEach(([key, { value }]) => (state[key] = value));
      Object.entries(state).forEach(([key, value]) =>
        value ? address.searchParams.set(key, value) : address.searchParams.delete(key),
      );
      address.hash = address.search ? "tab-audit-all" : address.hash;
      history.replaceState(null, "", address);
    }, 250);
  }
  const wanted = new URLSearchParams(location.search);
  box.value = wanted.get("q") ?? "";
  Object.entries(selects).forEach(([key, select]) => {
    select.value = wanted.get(key) ?? "";
    if (select.selectedIndex < 0) select.value = "";
  });
  (wanted.get("verdict") ?? "")
    .split(/[.,]/)
    .forEach((verdict) => buttons.get(verdict)?.button.setAttribute("aria-pressed", "true"));
  if (column((wanted.get("sort") ?? "").replace(/^-/, "")) >= 0) {
    order = wanted.get("sort");
    sort();
  }
  filter({ store: Boolean(order) || ["q", "verdict", ...Object.keys(selects)].some((key) => wanted.get(key)) });

  // An address like #thesis-2.1-004 must show its row, whatever the filter says.
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const one = target && rows.find(({ row }) => row.contains(target));
    if (one) {
      one.row.hidden = false;
      one.shown = true;
      target.scrollIntoView({ block: "center" });
    }
  }
  window.addEventListener("hashchange", reveal);
  reveal();
})();

// The search page: looks through the data that _ext/tb_find.py writes, in the browser, without a server.
//
// Each entry has a kind, a title and a text. A word counts more where it is rare, where the entry is short (BM25), and
// in a title; titles of pages, terms and sections count more than figures, tables and statements, and these more than
// running text. Entries that have all the words come first; the words side by side count extra.

const tbSearch = (() => {
  const KINDS = {
    page: ["Page", 2.2],
    term: ["Term", 2.0],
    section: ["Section", 1.35],
    figure: ["Figure", 1.25],
    table: ["Table", 1.2],
    statement: ["Statement", 1.15],
    work: ["Source", 0.7],
  };
  const IN_TITLE = 4;
  const COMMON = new Set(
    ("a an and are as at be by did do does for from had has have how in is it its of on or that the their to was were " +
      "what which who why with").split(" "),
  );

  // One form for words that differ in ending only, so that “tariff” finds “tariffs”.
  function stem(word) {
    if (word.length < 4 || /\d/.test(word)) return word;
    if (word.endsWith("ies")) return `${word.slice(0, -3)}y`;
    if (/(?:ch|sh|x|ss)es$/.test(word)) return word.slice(0, -2);
    return /(?:ss|us|is)$/.test(word) ? word : word.replace(/s$/, "");
  }
  const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f’']/g, "");
  const words = (text) => plain(text).match(/[\p{L}\p{N}]+(?:[.,]\p{N}+)*/gu) ?? [];
  const stems = (text) => words(text).map(stem);

  function index(data) {
    const entries = data.entries.map(([kind, page, anchor, title, text], i) => {
      const counts = new Map();
      // A statement is also found by its name or a part of it.
      const inTitle = stems(title.replace(/^\d+ · /, ""));
      const inText = stems(kind === "statement" ? `${text} ${anchor}` : text);
      inText.forEach((word) => counts.set(word, (counts.get(word) ?? 0) + 1));
      inTitle.forEach((word) => counts.set(word, (counts.get(word) ?? 0) + IN_TITLE));
      return {
        i, kind, anchor, title, text, counts,
        address: data.pages[page][0],
        page: data.pages[page][1],
        length: inText.length + IN_TITLE * inTitle.length,
        titleWords: new Set(inTitle),
        titleLine: ` ${inTitle.join(" ")} `,
        textLine: ` ${inText.join(" ")} `,
      };
    });
    const having = new Map();
    entries.forEach((entry) => entry.counts.forEach((_, word) => having.set(word, (having.get(word) ?? 0) + 1)));
    return { entries, having, usual: entries.reduce((sum, e) => sum + e.length, 0) / entries.length };
  }

  // The words of the book that stand for a word asked for: itself, else longer ones, else one letter off.
  function meant(word, having) {
    if (having.has(word)) return [[word, 1]];
    const known = [...having.keys()];
    const longer = word.length > 2 ? known.filter((k) => k.startsWith(word)) : [];
    if (longer.length) return longer.map((k) => [k, 0.7]);
    const near = word.length > 3 && !/\d/.test(word) ? known.filter((k) => oneOff(word, k)) : [];
    return near.map((k) => [k, 0.5]);
  }

  function oneOff(a, b) {
    if (Math.abs(a.length - b.length) > 1) return false;
    let i = 0;
    while (i < a.length && a[i] === b[i]) i += 1;
    const [x, y] = [a.slice(i), b.slice(i)];
    return x.slice(1) === y || x === y.slice(1) || x.slice(1) === y.slice(1)
      || (x[0] === y[1] && x[1] === y[0] && x.slice(2) === y.slice(2));
  }

  function find({ entries, having, usual }, query) {
    const all = stems(query);
    const asked = all.some((word) => !COMMON.has(word)) ? all.filter((word) => !COMMON.has(word)) : all;
    if (!asked.length) return [];
    const groups = [...new Set(asked)].map((word) => meant(word, having));
    const line = ` ${all.join(" ")} `;
    const id = query.trim().toLowerCase();
    const found = [];
    entries.forEach((entry) => {
      let score = 0;
      let matched = 0;
      let titled = 0;
      groups.forEach((group) => {
        let best = 0;
        let inTitle = 0;
        group.forEach(([word, weight]) => {
          const count = entry.counts.get(word);
          if (!count) return;
          const n = having.get(word);
          const rare = Math.log(1 + (entries.length - n + 0.5) / (n + 0.5));
          const often = (count * 2.2) / (count + 1.2 * (0.4 + (0.6 * entry.length) / usual));
          best = Math.max(best, weight * rare * often);
          if (entry.titleWords.has(word)) inTitle = Math.max(inTitle, weight);
        });
        score += best * (1 + 0.5 * inTitle);
        matched += best > 0;
        titled += inTitle;
      });
      if (!matched) return;
      score *= (matched / groups.length) ** 3 * KINDS[entry.kind][1];
      // A title made of just the words asked for is what was meant.
      score *= 1 + titled / Math.max(entry.titleWords.size, groups.length);
      if (all.length > 1 && entry.titleLine.includes(line)) score *= 1.8;
      else if (all.length > 1 && entry.textLine.includes(line)) score *= 1.3;
      if (entry.anchor.toLowerCase() === id) score += 1000;
      found.push([score, entry]);
    });
    found.sort((a, b) => b[0] - a[0] || a[1].i - b[1].i);
    return found.map(([score, entry]) => ({ ...entry, score, address: entry.address + (entry.anchor && `#${entry.anchor}`) }));
  }

  // Some words of the text around the first one asked for, and the words asked for marked.
  function excerpt(text, query) {
    const asked = new Set(stems(query).filter((word) => !COMMON.has(word)));
    const parts = text.split(" ");
    const same = (part) => stems(part).some((word) => asked.has(word));
    const begun = (part) => stems(part).some((word) => [...asked].some((a) => a.length > 2 && word.startsWith(a)));
    const hits = parts.some(same) ? same : begun; // a word may still be in the middle of being typed
    const first = Math.max(0, parts.findIndex(hits) - 8);
    const shown = parts.slice(first, first + 34);
    const made = document.createElement("p");
    made.className = "context";
    made.append(first ? "… " : "");
    shown.forEach((part) => {
      if (hits(part)) made.append(Object.assign(document.createElement("mark"), { textContent: part }), " ");
      else made.append(`${part} `);
    });
    if (first + 34 < parts.length) made.append("…");
    return made;
  }

  return { KINDS, index, find, excerpt };
})();

document.addEventListener("DOMContentLoaded", () => {
  const results = document.getElementById("search-results");
  const field = document.querySelector(".bd-search-container input[name=q]");
  if (!results || !field || !window.tbSearchData) return;
  const book = tbSearch.index(window.tbSearchData);
  const root = document.documentElement.dataset.content_root;
  const MOST = 40;

  function list(query) {
    const found = tbSearch.find(book, query);
    const said = document.createElement("p");
    const many = found.length > MOST ? `The ${MOST} best of ${found.length}` : found.length === 1 ? "One" : found.length || "No";
    said.textContent = query.trim() ? `${many} ${found.length === 1 ? "place" : "places"} for “${query.trim()}”` : "";
    const items = document.createElement("ul");
    items.className = "search";
    found.slice(0, MOST).forEach((entry) => {
      const item = document.createElement("li");
      item.className = `tb-found-${entry.kind}`;
      const link = Object.assign(document.createElement("a"), { href: root + entry.address, textContent: entry.title });
      const where = Object.assign(document.createElement("span"), {
        className: "tb-found-where",
        textContent: entry.kind === "page" ? "Page" : `${tbSearch.KINDS[entry.kind][0]} · ${entry.page}`,
      });
      item.append(where, link);
      if (entry.text) item.append(tbSearch.excerpt(entry.text, query));
      items.append(item);
    });
    status.replaceChildren(said);
    results.replaceChildren(status, items);
  }

  const status = document.createElement("div");
  status.setAttribute("role", "status");
  let waiting;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => list(field.value), 120);
  });
  field.value = new URLSearchParams(location.search).get("q") ?? "";
  list(field.value);
});

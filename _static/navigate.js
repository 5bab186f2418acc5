// Previews of what a link leads to, buttons that copy a citation, and the list of editions.

// --- previews: on hover and on keyboard focus, of terms, works, figures, tables and statements ---
(() => {
  const LINKS = [
    ".tb-mark a",
    "a[href*='#term-']",
    ".bibtex-citation a, a[href*='bibliography.html#']",
    "a[href*='#fig-'], a[href*='#tab-']",
  ].join(", ");
  const WAIT = 250; // milliseconds a pointer rests on a link, or may take to the preview
  const root = document.documentElement.dataset.content_root;
  let box, shownFor, opening, closing, data;

  const element = (name, className, text) => {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    return made;
  };

  // The data of other pages come with the first preview that needs them, as a script: a page opened
  // from a folder may load one, but may not read other files.
  function loadData() {
    data ??= new Promise((done) => {
      const script = document.createElement("script");
      script.src = `${root}_find/previews.js`;
      script.onload = () => done(window.tbPreviewData);
      script.onerror = () => done({ terms: {}, works: {}, figures: {} });
      document.head.append(script);
    });
    return data;
  }

  function statement(link, anchor) {
    const row = document.getElementById(anchor)?.closest("tr");
    if (!row) return [element("p", "", link.dataset.title ?? "")];
    const [verdict, words, printed, recomputed] = row.cells.length > 4 ? [...row.cells].slice(1) : [];
    if (!words) return [element("p", "", link.dataset.title ?? "")];
    const parts = [element("p", "", words.firstChild.textContent)];
    const figures = [["printed", printed], ["recomputed", recomputed]]
      .filter(([, cell]) => cell?.textContent.trim())
      .map(([name, cell]) => `${name}: ${cell.textContent.trim()}`);
    parts.push(verdict.firstElementChild.cloneNode(true));
    if (figures.length) parts.push(element("p", "tb-preview-note", figures.join(" · ")));
    return parts;
  }

  function picture(figure) {
    const parts = [element("strong", "", figure.querySelector("strong").firstChild.textContent)];
    const plot = figure.querySelector(".tb-plot.tb-narrow") ?? figure.querySelector(".tb-plot");
    const drawing = plot?.querySelector("svg").cloneNode(true);
    if (drawing) {
      // Its parts refer to shapes by name: they are found in the figure itself.
      drawing.querySelectorAll("[id]").forEach((part) => part.removeAttribute("id"));
      const frame = element("div", "tb-plot", "");
      frame.append(drawing);
      parts.push(frame);
    }
    return parts;
  }

  async function content(link) {
    const anchor = decodeURIComponent(link.hash.slice(1));
    if (link.closest(".tb-mark")) return statement(link, anchor);
    // A text may refer to a mark before the figure, named after it.
    const name = anchor.replace(/-anchor$/, "");
    const figure = /^(fig|tab)-/.test(name) && document.getElementById(name);
    if (figure) return figure.contains(link) ? [] : picture(figure);
    const { terms, works, figures } = await loadData();
    if (terms[anchor]) {
      const [name, meaning] = terms[anchor];
      return [element("strong", "", name), element("p", "", meaning)];
    }
    const text = figures[name] ?? (link.pathname.includes("bibliography") ? works[anchor] : "");
    return text ? [element("p", "", text)] : [];
  }

  function place(link) {
    const at = link.getClientRects()[0] ?? link.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    box.style.left = `${Math.max(8, Math.min(at.left, width - box.offsetWidth - 8)) + scrollX}px`;
    const below = at.bottom + box.offsetHeight + 6 <= innerHeight || at.top < box.offsetHeight + 6;
    box.style.top = `${(below ? at.bottom + 4 : at.top - box.offsetHeight - 4) + scrollY}px`;
  }

  async function show(link) {
    const parts = await content(link);
    if (shownFor !== link || !parts.length) return;
    box ??= Object.assign(element("div", "tb-preview", ""), { id: "tb-preview" });
    if (!box.isConnected) {
      box.setAttribute("role", "tooltip");
      box.addEventListener("pointerenter", () => clearTimeout(closing));
      box.addEventListener("pointerleave", hideSoon);
      document.body.append(box);
    }
    box.replaceChildren(...parts);
    box.hidden = false;
    link.setAttribute("aria-describedby", "tb-preview");
    place(link);
  }

  function hide() {
    clearTimeout(opening);
    clearTimeout(closing);
    shownFor?.removeAttribute("aria-describedby");
    shownFor = undefined;
    if (box) box.hidden = true;
  }

  function hideSoon() {
    clearTimeout(opening);
    clearTimeout(closing);
    closing = setTimeout(hide, WAIT);
  }

  function open(link, wait) {
    clearTimeout(closing);
    clearTimeout(opening);
    if (shownFor === link && box && !box.hidden) return;
    opening = setTimeout(() => {
      hide();
      shownFor = link;
      show(link);
    }, wait);
  }

  const linkOf = (event) => event.target.closest?.(".bd-article a")?.matches(LINKS) && event.target.closest("a");
  document.addEventListener("pointerover", (event) => {
    const link = event.pointerType !== "touch" && linkOf(event);
    if (!link || link.classList.contains("headerlink")) return;
    // The preview says what the browser's own note would.
    if (link.title) link.dataset.title = link.title;
    link.removeAttribute("title");
    open(link, WAIT);
  });
  document.addEventListener("pointerout", (event) => {
    if (linkOf(event)) hideSoon();
  });
  document.addEventListener("focusin", (event) => {
    const link = linkOf(event);
    if (link && !link.classList.contains("headerlink") && link.matches(":focus-visible")) {
      if (link.title) link.dataset.title = link.title;
      link.removeAttribute("title");
      open(link, 0);
    } else {
      hide();
    }
  });
  document.addEventListener("focusout", hideSoon);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && box && !box.hidden) hide();
  });
  document.addEventListener("click", hide);
})();

// --- a button beside each citation that copies it, where the browser allows it ---
document.addEventListener("DOMContentLoaded", () => {
  if (!navigator.clipboard) return;
  document.querySelectorAll(".tb-citation").forEach((text) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tb-copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", text.tagName === "PRE" ? "Copy the BibTeX entry" : "Copy the citation");
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent.trim());
        said.textContent = " Copied.";
      } catch {
        getSelection().selectAllChildren(text);
        said.textContent = " Marked: copy it with your keyboard.";
      }
    });
    text.after(button, said);
  });
});

// --- editions: published side by side in folders such as latest/ and v1.0/, listed in editions.json beside them ---
document.addEventListener("DOMContentLoaded", async () => {
  const home = new URL(document.documentElement.dataset.content_root ?? "./", location.href);
  const here = /\/(latest|v\d+(?:\.\d+)*)\/$/.exec(home.pathname)?.[1];
  const control = document.querySelector(".tb-editions");
  if (!control || !here || !home.protocol.startsWith("http")) return;
  try {
    const answer = await fetch(new URL("../editions.json", home));
    const editions = answer.ok ? await answer.json() : [];
    if (!editions.some((edition) => edition.name === here)) return;
    const page = location.href.split(/[?#]/)[0].slice(home.href.length);
    editions.forEach((edition) => {
      const link = document.createElement("a");
      const target = edition.pages.includes(page) ? page : "index.html";
      link.href = new URL(`../${edition.name}/${target}`, home);
      link.textContent = edition.name === "latest" ? `latest (${edition.version})` : edition.name;
      if (edition.name === here) {
        link.setAttribute("aria-current", "true");
        control.querySelector("summary").textContent = `Edition: ${link.textContent}`;
      }
      const item = document.createElement("li");
      item.append(link);
      control.querySelector("ul").append(item);
    });
    control.hidden = false;
  } catch {
    // Without the list there is nothing to choose from.
  }
});

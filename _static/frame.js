// What the frame of a page does: colour mode, search box, contents, menus. It takes the place of the theme's own
// scripts (which bring Bootstrap's along) and works on the same HTML.
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const ready = (run) =>
    document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", run) : run();
  // A dialog closes on a click beside it. `Escape` closes it too, if no other script takes that key for itself.
  function closable(dialog) {
    dialog.addEventListener("click", (event) => {
      const box = dialog.getBoundingClientRect();
      const { clientX: x, clientY: y } = event;
      // A key press on a button inside has no position of its own.
      if (event.target === dialog && (x < box.left || x > box.right || y < box.top || y > box.bottom)) dialog.close();
    });
    dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  }

  // Colour mode: as the system, then the other one, then the one it is.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  function setMode(mode) {
    const theme = mode === "auto" ? (dark.matches ? "dark" : "light") : mode;
    if (root.dataset.mode !== mode) root.dataset.mode = mode; // what is written anew is styled anew
    if (root.dataset.theme !== theme) root.dataset.theme = theme;
    all(".theme-switch-button").forEach((button) => {
      button.setAttribute("aria-label", `Colour mode: ${{ auto: "as the system", dark: "dark", light: "light" }[mode]}`);
    });
  }
  dark.addEventListener("change", () => setMode(root.dataset.mode));
  function nextMode() {
    const order = dark.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
    const mode = order[(order.indexOf(root.dataset.mode) + 1) % 3];
    try {
      localStorage.setItem("mode", mode);
    } catch {
      // Storage is switched off: the choice holds for this page.
    }
    setMode(mode);
  }

  // Search: the box in a dialog, or on the search page the box there.
  function openSearch() {
    const field = document.querySelector(".bd-search-container input[name=q]");
    if (field) {
      field.focus();
      field.select();
      return;
    }
    const dialog = document.getElementById("pst-search-dialog");
    if (dialog.open) dialog.close();
    else dialog.showModal();
  }
  function onKey(event) {
    const mac = /Mac|iPhone|iPad/.test(navigator.platform);
    if (event.key.toLowerCase() !== "k" || event.shiftKey || event.altKey) return;
    if (mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      openSearch();
    }
  }

  // Contents of the book and of the page: on a narrow screen each opens as a dialog.
  function sidebar(button, panel, dialog) {
    if (!button || !panel || !dialog) return;
    const move = (from, to) => {
      to.append(...from.childNodes);
      to.classList.add(...from.classList);
      from.removeAttribute("class");
    };
    button.addEventListener("click", () => {
      if (panel.id === "pst-primary-sidebar" && matchMedia("(min-width: 992px)").matches) {
        const hidden = panel.classList.toggle("pst-sidebar-hidden");
        button.setAttribute("aria-expanded", String(!hidden));
        return;
      }
      move(panel, dialog);
      dialog.showModal();
    });
    closable(dialog);
    dialog.addEventListener("click", (event) => event.target.closest("a[href*='#']") && dialog.close());
    dialog.addEventListener("close", () => {
      move(dialog, panel);
      button.focus();
    });
  }

  // The contents scroll to the chapter one reads, or to where one left them.
  function showPlace() {
    const bar = document.querySelector(".bd-sidebar-primary");
    const here = all(".bd-docs-nav .active", bar ?? root).pop();
    let kept = NaN;
    try {
      kept = parseInt(sessionStorage.getItem("sidebar-scroll-top"), 10);
      addEventListener("pagehide", () => sessionStorage.setItem("sidebar-scroll-top", bar.scrollTop));
    } catch {
      // Storage is switched off.
    }
    if (!bar || bar.scrollHeight <= bar.clientHeight) return;
    if (!isNaN(kept)) bar.scrollTop = kept;
    else if (here && here.offsetTop > innerHeight / 2) bar.scrollTop = here.offsetTop - bar.clientHeight / 4;
  }

  // On this page: the section that is read is marked, which is the one at a line somewhat below the upper edge. The
  // sections are watched, not their headings: a heading may have been jumped over, or not be laid out yet.
  function followSections() {
    const links = all("#pst-page-toc-nav a[href^='#']");
    const sections = new Map();
    links.forEach((link) => {
      const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      if (target) sections.set(target, link);
    });
    const crossed = new Set();
    let ended = false; // a short last section does not reach the line
    let still = 0; // after a jump, the target is the section, whatever else is in view
    function mark(link) {
      links.forEach((one) => {
        one.classList.toggle("active", one === link);
        if (one === link) one.setAttribute("aria-current", "true");
        else one.removeAttribute("aria-current");
      });
      all("#pst-page-toc-nav .toc-entry").forEach((entry) => entry.classList.toggle("active", entry.contains(link)));
    }
    function follow() {
      if (Date.now() < still) return;
      const target = [...sections.keys()].filter((section) => ended || crossed.has(section)).pop();
      mark(sections.get(target));
    }
    function jumped() {
      const link = location.hash.length > 1 && links.find((one) => one.hash === location.hash);
      if (!link) return;
      still = Date.now() + 1000;
      mark(link);
    }
    const watch = new IntersectionObserver(
      (entries) => {
        entries.forEach(({ isIntersecting, target }) => crossed[isIntersecting ? "add" : "delete"](target));
        follow();
      },
      { rootMargin: "-25% 0px -75% 0px" },
    );
    sections.forEach((_, section) => watch.observe(section));
    const end = document.querySelector(".bd-footer-content");
    const atEnd = ([entry]) => {
      ended = entry.isIntersecting && scrollY > 0;
      follow();
    };
    if (end && sections.size) new IntersectionObserver(atEnd).observe(end);
    addEventListener("hashchange", jumped);
    jumped();
  }

  // An address with a place on the page: what lies above it may turn out higher or lower than the room kept for it,
  // so the place is looked up again when all is there, unless the reader has moved on.
  function stayAtPlace() {
    let times = 0;
    const stop = () => (times = 0);
    const moves = ["wheel", "touchstart", "keydown", "pointerdown"];
    moves.forEach((kind) => addEventListener(kind, stop, { passive: true }));
    function again() {
      const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!target || times-- <= 0) return;
      target.scrollIntoView({ behavior: "instant" });
      setTimeout(again, 100);
    }
    const start = (wait) => {
      times = 8;
      setTimeout(again, wait);
    };
    // Who comes back to a page finds it where it was left; that is the browser's task.
    const came = performance.getEntriesByType("navigation")[0]?.type ?? "navigate";
    if (came === "navigate") addEventListener("load", () => start(0));
    // After a click the browser may take its time to scroll there.
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    addEventListener("click", ({ target }) => target.closest?.("a[href^='#']") && start(still.matches ? 0 : 800));
  }

  // Menus below a button.
  function menu(button) {
    const list = button.parentElement.querySelector(".dropdown-menu");
    const items = all("a, button", list);
    function show(open) {
      list.classList.toggle("show", open);
      button.setAttribute("aria-expanded", String(open));
    }
    button.addEventListener("click", () => show(!list.classList.contains("show")));
    button.parentElement.addEventListener("keydown", (event) => {
      const at = items.indexOf(document.activeElement);
      if (event.key === "Escape") {
        show(false);
        button.focus();
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        show(true);
        const step = event.key === "ArrowDown" ? 1 : -1;
        items[at < 0 ? (step > 0 ? 0 : items.length - 1) : (at + step + items.length) % items.length].focus();
      }
    });
    button.parentElement.addEventListener("focusout", (event) => {
      if (!button.parentElement.contains(event.relatedTarget)) show(false);
    });
    document.addEventListener("click", (event) => button.parentElement.contains(event.target) || show(false));
  }

  // What is wider or higher than its box scrolls: let the keyboard reach it, but only then. Boxes far from the
  // screen are not laid out yet (content-visibility), so each is measured when it comes near.
  function markScrolling() {
    const boxes = all(".bd-article pre, .cell_output > .output, .pst-scrollable-table-container, .tb-formula");
    const near = new Set();
    const measure = (box) => {
      const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight + 1;
      if (scrolls) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    };
    const watch = new IntersectionObserver(
      (entries) =>
        entries.forEach(({ isIntersecting, target }) => {
          near[isIntersecting ? "add" : "delete"](target);
          if (isIntersecting) measure(target);
        }),
      { rootMargin: "100% 0px" },
    );
    boxes.forEach((box) => watch.observe(box));
    addEventListener("resize", () => near.forEach(measure));
  }

  // A button that copies a listing, made when the listing comes near the screen or is unfolded.
  function addCopyButton(listing) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tb-copy-code";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite"); // says “Copied”
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(listing.innerText.trimEnd() + "\n");
        button.textContent = "Copied";
      } catch {
        // The browser keeps the clipboard to itself: mark the listing, so that the reader's keys can copy it.
        getSelection().selectAllChildren(listing);
        button.textContent = "Marked";
      }
      setTimeout(() => (button.textContent = "Copy"), 3000);
    });
    listing.after(button);
  }
  function copyListings() {
    const watch = new IntersectionObserver(
      (entries) =>
        entries.forEach(({ isIntersecting, target }) => {
          if (!isIntersecting) return;
          watch.unobserve(target);
          addCopyButton(target);
        }),
      { rootMargin: "50% 0px" },
    );
    all("div.cell_input div.highlight pre").forEach((listing) => watch.observe(listing));
  }

  ready(() => {
    setMode(root.dataset.mode ?? "auto");
    all(".theme-switch-button").forEach((button) => button.addEventListener("click", nextMode));
    all(".search-button__button").forEach((button) => button.addEventListener("click", openSearch));
    addEventListener("keydown", onKey, true);
    const search = document.getElementById("pst-search-dialog");
    if (search) closable(search);
    document.querySelector(".bd-search-container input[type=search]")?.focus();
    for (const side of ["primary", "secondary"]) {
      const panel = document.getElementById(`pst-${side}-sidebar`);
      sidebar(document.querySelector(`.${side}-toggle`), panel, document.getElementById(`pst-${side}-sidebar-modal`));
    }
    all(".dropdown-toggle").forEach(menu);
    all("[data-print]").forEach((button) => button.addEventListener("click", () => print()));
    const top = document.querySelector(".sbt-scroll-pixel-helper");
    const scrolled = ([{ boundingClientRect }]) => document.body.classList.toggle("scrolled", boundingClientRect.y < 0);
    if (top) new IntersectionObserver(scrolled).observe(top);
    followSections();
    stayAtPlace();
    markScrolling();
    copyListings();
    requestAnimationFrame(showPlace); // reads sizes: after the first layout, not before
  });
})();

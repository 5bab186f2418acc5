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
    root.dataset.mode = mode;
    root.dataset.theme = mode === "auto" ? (dark.matches ? "dark" : "light") : mode;
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

  // On this page: the section that is read is marked.
  function followSections() {
    const links = all("#pst-page-toc-nav a[href^='#']");
    const sections = new Map();
    links.forEach((link) => {
      const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      if (target) sections.set(target.querySelector("h1, h2, h3, h4") ?? target, link);
    });
    let still = 0; // after a jump, the target is the section, whatever else is in view
    function mark(link) {
      links.forEach((one) => {
        one.classList.toggle("active", one === link);
        if (one === link) one.setAttribute("aria-current", "true");
        else one.removeAttribute("aria-current");
      });
      all("#pst-page-toc-nav .toc-entry").forEach((entry) => entry.classList.toggle("active", entry.contains(link)));
    }
    function jumped() {
      const link = location.hash.length > 1 && links.find((one) => one.hash === location.hash);
      if (!link) return;
      still = Date.now() + 1000;
      mark(link);
    }
    const watch = new IntersectionObserver(
      (entries) => {
        const seen = entries.filter((entry) => entry.isIntersecting).pop();
        if (seen && Date.now() > still) mark(sections.get(seen.target));
      },
      { rootMargin: "0px 0px -70% 0px" },
    );
    sections.forEach((_, heading) => watch.observe(heading));
    addEventListener("hashchange", jumped);
    jumped();
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
    markScrolling();
    requestAnimationFrame(showPlace); // reads sizes: after the first layout, not before
  });
})();

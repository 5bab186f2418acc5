// Choosing an economy by name or ISO code, with suggestions (the combobox pattern of the ARIA practices), and the
// address of the page as the place where a choice is kept.
(() => {
  const { html } = window.tbExplore;
  const bare = (text) =>
    text
      .normalize("NFKD")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]/gu, "");
  const pairs = (text) => new Set([...text].slice(1).map((letter, i) => text[i] + letter));

  // The economies whose name or code fits what was typed, best first.
  function suggest(typed, economies) {
    const wanted = bare(typed);
    const rank = ({ code, iso2, name }) => {
      const label = bare(name);
      if ([code, iso2].some((c) => c && bare(c) === wanted) || label === wanted) return 0;
      if (label.startsWith(wanted)) return 1;
      if (name.split(/[\s-]+/).some((word) => bare(word).startsWith(wanted))) return 2;
      return label.includes(wanted) ? 3 : 9;
    };
    const ranked = economies.map((economy) => [rank(economy), economy]).filter(([r]) => r < 9);
    return ranked.sort(([r, a], [s, b]) => r - s || a.name.localeCompare(b.name, "en")).map(([, economy]) => economy);
  }

  // The economy that is meant, or an error that offers the nearest names.
  function resolve(typed, economies) {
    const wanted = bare(typed);
    const exact = ["code", "iso2", "name"]
      .map((key) => economies.find((e) => wanted && bare(e[key] ?? "") === wanted))
      .find(Boolean);
    if (exact) return exact;
    const fitting = wanted ? suggest(typed, economies) : [];
    if (fitting.length === 1) return fitting[0];
    const mine = pairs(wanted);
    const likeness = ({ name }) => {
      const theirs = pairs(bare(name));
      return (2 * [...mine].filter((pair) => theirs.has(pair)).length) / (mine.size + theirs.size || 1);
    };
    const near = [...fitting, ...economies.filter((e) => likeness(e) > 0.45).sort((a, b) => likeness(b) - likeness(a))];
    const named = [...new Set(near)].slice(0, 3).map(({ code, name }) => `${code} (${name})`);
    const hint = named.length
      ? `did you mean ${named.join(" or ")}?`
      : "give an ISO 3166 code such as DEU, or an English name such as Germany.";
    throw new Error(`There is no economy “${typed.trim()}” here; ${hint}`);
  }

  // Make an input suggest economies. `list()` gives them, `chosen(economy)` and `failed(error)` take the outcome.
  function combobox(input, { list, chosen, failed }) {
    const options = html("ul", { id: `${input.id}-list`, className: "tb-options", hidden: true });
    options.setAttribute("role", "listbox");
    options.setAttribute("aria-label", "Suggestions");
    input.after(options);
    Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": options.id,
    }).forEach(([name, value]) => input.setAttribute(name, value));
    let [offered, active, before] = [[], -1, input.value];

    function close() {
      options.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }
    function mark(index) {
      active = index;
      [...options.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
      if (index < 0) return;
      input.setAttribute("aria-activedescendant", options.children[index].id);
      options.children[index].scrollIntoView({ block: "nearest" });
    }
    function open(typed) {
      offered = typed ? suggest(typed, list()).slice(0, 8) : list();
      options.replaceChildren(
        ...offered.map((economy, i) => {
          const option = html(
            "li",
            { id: `${options.id}-${i}` },
            economy.name,
            " ",
            html("small", { textContent: economy.code }),
          );
          option.setAttribute("role", "option");
          option.setAttribute("aria-selected", "false");
          option.addEventListener("pointerdown", (event) => {
            event.preventDefault(); // the input keeps the focus
            take(economy);
          });
          return option;
        }),
      );
      active = -1;
      options.hidden = !offered.length;
      input.setAttribute("aria-expanded", String(!options.hidden));
      input.removeAttribute("aria-activedescendant");
    }
    function take(economy) {
      input.value = economy.name;
      before = economy.name;
      close();
      chosen(economy);
    }
    function settle() {
      if (input.value === before) return close();
      try {
        return take(resolve(input.value, list()));
      } catch (error) {
        close();
        before = input.value;
        return failed(error);
      }
    }
    input.addEventListener("focus", () => {
      before = input.value;
      input.select();
    });
    input.addEventListener("input", () => open(input.value));
    input.addEventListener("blur", () => (input.value.trim() || before ? settle() : close()));
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (options.hidden) open(input.value === before ? "" : input.value);
        const step = event.key === "ArrowDown" ? 1 : -1;
        if (offered.length)
          mark(active < 0 && step < 0 ? offered.length - 1 : (active + step + offered.length) % offered.length);
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (active >= 0) take(offered[active]);
        else settle();
      } else if (event.key === "Escape" && !options.hidden) {
        event.preventDefault();
        input.value = before;
        close();
      }
    });
    return (name) => {
      input.value = name;
      before = name;
    };
  }

  // Keep a choice in the address, so that it can be shared; other parameters stay as they are.
  function remember(box, choice) {
    const address = new URL(location.href);
    Object.entries(choice).forEach(([name, value]) =>
      value ? address.searchParams.set(name, value) : address.searchParams.delete(name),
    );
    address.hash = box.dataset.anchor;
    history.replaceState(null, "", address);
  }

  Object.assign(window.tbExplore, { combobox, remember, resolve });
})();

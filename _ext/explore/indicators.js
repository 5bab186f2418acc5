// One indicator, up to five economies, any years: as they are, on a logarithmic scale, or as an index.
(() => {
  const { combobox, figure, html, load, read, remember, resolve, scaleOf, short } = window.tbExplore;
  const MOST = 5;

  window.tbExplore.starters.indicators = async (box) => {
    const index = window.tbExplore.data.index;
    const { economies, indicators } = index;
    const name = (code) => economies.find((economy) => economy.code === code).name;
    const form = box.querySelector("form");
    const message = box.querySelector(".tb-explorer-message");
    const chips = box.querySelector(".tb-chips");
    const show = figure(box);
    const state = { indicator: "NY.GDP.PCAP.PP.CD", economies: ["CHN", "RUS"], form: "level", from: 0, to: 0 };
    const about = () => indicators.find(({ code }) => code === state.indicator);
    const stored = async () => {
      const part = `indicator/${state.indicator}`;
      await load(box, part);
      return window.tbExplore.data[part];
    };

    function picture(values) {
      const { name: what, unit, tables } = about();
      const missing = state.economies.filter((code) => !values[code]);
      if (missing.length) {
        const fewer =
          Object.keys(values).length < 100 ? ` The table covers only ${Object.keys(values).length} economies.` : "";
        throw new Error(
          `“${what}” has no value for ${missing.map(name).join(", ")}: choose another indicator or economy.${fewer}`,
        );
      }
      const within = ([year]) => year >= state.from && year <= state.to;
      let series = state.economies.map((code) => ({
        name: name(code),
        values: new Map([...read(values[code])].filter(within)),
      }));
      const empty = series.filter((s) => !s.values.size);
      if (empty.length)
        throw new Error(
          `“${what}” has no value for ${empty.map((s) => s.name).join(", ")} in ${state.from}–${state.to}: choose other years.`,
        );
      const years = series.flatMap((s) => [...s.values.keys()]);
      const [from, to] = [Math.min(...years), Math.max(...years, Math.min(...years) + 1)];
      let [y, scaledUnit, base] = [unit, unit, 0];
      if (state.form !== "level" && series.some((s) => [...s.values.values()].some((v) => v <= 0))) {
        throw new Error(
          `“${what}” has values of zero or below here, and no logarithm or index of them: choose “as it is”.`,
        );
      }
      if (state.form === "index") {
        base = [...series[0].values.keys()]
          .sort((a, b) => a - b)
          .find((year) => series.every((s) => s.values.has(year)));
        if (!base)
          throw new Error(
            "There is no year in which all of these economies have a value, so no common base: choose “as it is”.",
          );
        series = series.map((s) => ({
          ...s,
          values: new Map([...s.values].map(([year, v]) => [year, (100 * v) / s.values.get(base)])),
        }));
        y = `index, ${base} = 100`;
        scaledUnit = y;
      } else {
        const [size, word] = scaleOf(Math.max(...series.flatMap((s) => [...s.values.values()].map(Math.abs))));
        series = series.map((s) => ({ ...s, values: new Map([...s.values].map(([year, v]) => [year, v / size])) }));
        scaledUnit = word ? `${word} ${unit}` : unit;
        y = state.form === "log" ? `${scaledUnit}, logarithmic scale` : scaledUnit;
      }
      const newest = series.map((s) => Math.max(...s.values.keys()));
      const same = newest.every((year) => year === newest[0]);
      const said = series.map((s, i) => [
        s.values.get(newest[i]),
        `${s.name} ${short(s.values.get(newest[i]))}${same ? "" : ` in ${newest[i]}`}`,
      ]);
      said.sort(([a], [b]) => b - a);
      const low = Math.min(...series.flatMap((s) => [...s.values.values()]));
      return {
        series,
        from,
        to,
        y,
        unit: scaledUnit,
        log: state.form === "log",
        zero: state.form !== "log" && low >= 0,
        line: base ? 100 : low < 0 ? 0 : undefined,
        tables: tables.map((t) => index.tables[t]),
        file: `${state.indicator}-${state.economies.join("-")}`,
        title: [
          `${what}${same ? ` in ${newest[0]}` : ""}: ${said.map(([, text]) => text).join(", ")}`,
          base ? ` (${base} = 100)` : "",
        ].join(""),
        subtitle: `${what}, ${scaledUnit}, ${from}–${to}`,
        note: "",
      };
    }

    let turn = 0;
    async function update(store = true, newIndicator = false) {
      turn += 1;
      const mine = turn;
      form.elements.form.forEach((radio) => (radio.checked = radio.value === state.form));
      form.elements.indicator.value = state.indicator;
      chips.replaceChildren(
        ...state.economies.map((code, i) => {
          const button = html("button", { type: "button", textContent: `${name(code)} ` });
          button.style.setProperty("--tb-chip", `var(--tb-${["c1", "c2", "c3", "c4", "c6"][i]})`);
          const cross = html("span", { textContent: "×" });
          cross.setAttribute("aria-hidden", "true");
          button.append(cross);
          button.setAttribute("aria-label", `Remove ${name(code)}`);
          button.disabled = state.economies.length === 1;
          button.addEventListener("click", () => {
            state.economies = state.economies.filter((other) => other !== code);
            update();
            (chips.children[Math.min(i, chips.children.length - 1)] ?? form.elements.add).focus();
          });
          return button;
        }),
      );
      const full = state.economies.length >= MOST;
      form.elements.add.disabled = full;
      form.elements.add.placeholder = full ? `${MOST} at most: remove one first` : "Add an economy";
      try {
        const values = await stored();
        if (mine !== turn) return;
        const { first, last } = about();
        const span = (select, chosen) => {
          select.replaceChildren(...Array.from({ length: last - first + 1 }, (_, i) => new Option(first + i)));
          select.value = chosen;
        };
        if (newIndicator || !state.from) state.from = first;
        if (newIndicator || !state.to) state.to = last;
        state.from = Math.min(Math.max(state.from, first), last);
        state.to = Math.min(Math.max(state.to, first), last);
        span(form.elements.from, state.from);
        span(form.elements.to, state.to);
        if (state.from >= state.to) throw new Error("The first year must lie before the last one: choose other years.");
        if (store) {
          remember(box, {
            indicator: state.indicator,
            economies: state.economies.join("."),
            form: state.form === "level" ? "" : state.form,
            from: state.from === first ? "" : state.from,
            to: state.to === last ? "" : state.to,
          });
        }
        const drawing = picture(values);
        fail("");
        show(drawing);
      } catch (error) {
        fail(error.message);
      }
    }
    function fail(text) {
      message.textContent = text;
      box.classList.toggle("tb-failed", Boolean(text));
    }

    const clear = combobox(form.elements.add, {
      list: () =>
        economies.filter(
          ({ code }) =>
            !state.economies.includes(code) && (window.tbExplore.data[`indicator/${state.indicator}`] ?? {})[code],
        ),
      chosen: ({ code }) => {
        state.economies = [...state.economies, code].slice(0, MOST);
        clear("");
        update();
      },
      failed: (error) => fail(error.message),
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", ({ target }) => {
      if (target.name === "form") state.form = target.value;
      else if (["from", "to"].includes(target.name)) state[target.name] = Number(target.value);
      else if (target.name === "indicator") state.indicator = target.value;
      else return;
      update(true, target.name === "indicator");
    });

    const wanted = new URLSearchParams(location.search);
    let trouble = "";
    if (wanted.has("indicator")) {
      if (indicators.some(({ code }) => code === wanted.get("indicator"))) state.indicator = wanted.get("indicator");
      else trouble = `There is no indicator “${wanted.get("indicator")}” here: choose one from the list.`;
    }
    try {
      const asked = (wanted.get("economies") ?? "").split(/[.,]/).filter(Boolean);
      const codes = [...new Set(asked.map((text) => resolve(text, economies).code))];
      if (codes.length) state.economies = codes.slice(0, MOST);
      if (codes.length > MOST) trouble = `Only ${MOST} economies fit into one picture: the first ${MOST} are shown.`;
    } catch (error) {
      trouble = error.message;
    }
    if (["level", "log", "index"].includes(wanted.get("form"))) state.form = wanted.get("form");
    ["from", "to"].forEach((key) => (state[key] = Number.parseInt(wanted.get(key), 10) || 0));
    await update(false);
    if (trouble) fail(trouble);
  };
})();

// Any two economies: totals, flows, balance, mirror ratio and growth of their trade, as each side reports it.
(() => {
  const { combobox, figure, load, read, remember, resolve, scaleOf, short } = window.tbExplore;
  const WORLD = "WLD";
  const LEVELS = ["total", "out", "back"];

  // Combine series year by year; a year counts only if all of them have it.
  const combine = (join, ...parts) =>
    new Map(
      [...parts[0]]
        .filter(([year]) => parts.every((p) => p.has(year)))
        .map(([year]) => [year, join(...parts.map((p) => p.get(year)))]),
    );
  const byYear = ([a], [b]) => a - b;

  // The IMF fills a missing report with the partner's times 1.06 (formerly 1.10): such a year is not a second record.
  const filled = (ratio) => [1.06, 1.1].some((factor) => Math.abs(ratio - factor) <= 1e-8 + 1e-5 * factor);

  function growth(total, breaks) {
    const found = new Map();
    [...total].sort(byYear).forEach(([year, value]) => {
      const before = total.get(year - 1);
      if (before > 0 && !breaks.some((b) => b.year === year - 1)) found.set(year, 100 * (value / before - 1));
    });
    return found;
  }

  window.tbExplore.starters.trade = async (box) => {
    const index = window.tbExplore.data.index;
    const economies = index.economies.filter(({ code }) => index.order.includes(code));
    const name = (code) => economies.find((economy) => economy.code === code).name;
    const side = (code) => (code === WORLD ? "all partners" : name(code));
    const form = box.querySelector("form");
    const message = box.querySelector(".tb-explorer-message");
    const show = figure(box);
    const state = { a: "CHN", b: "RUS", show: "total", scale: "log" };

    async function flows() {
      const [first, second] = [state.a, state.b].sort();
      const [low, high] = [first, second]
        .map((code) => Math.floor(index.order.indexOf(code) / index.block))
        .sort((x, y) => x - y);
      const part = `trade/${[low, high].map((n) => String(n).padStart(2, "0")).join("-")}`;
      await load(box, part);
      const four = (window.tbExplore.data[part][first + second] ?? ["", "", "", ""]).map(read);
      const [sold, bought, soldBack, boughtBack] = state.a === first ? four : [four[2], four[3], four[0], four[1]];
      return { sold, bought, soldBack, boughtBack };
    }

    function picture({ sold, bought, soldBack, boughtBack }) {
      const [a, b] = [name(state.a), name(state.b)];
      const breaks = [state.a, state.b].flatMap((code) =>
        (index.lineage[code] ?? []).map((former) => ({ year: former.to, text: `${former.name} until ${former.to}` })),
      );
      const all = [sold, bought, soldBack, boughtBack].flatMap((part) => [...part.keys()]);
      if (!all.length)
        throw new Error(`No trade between ${a} and ${b} is on record in 1960–2020; choose another pair.`);
      const totals = [combine((x, m) => x + m, sold, boughtBack), combine((m, x) => m + x, bought, soldBack)];
      const reports = [`reported by ${side(state.a)}`, `reported by ${side(state.b)}`];
      const [from, to] = [Math.min(...all), Math.max(...all, Math.min(...all) + 1)];
      const common = {
        from,
        to,
        tables: [index.tables["bilateral-trade"]],
        file: `trade-${state.a}-${state.b}-${state.show}`,
        breaks: breaks.filter(({ year }) => all.some((y) => y <= year) && all.some((y) => y > year)),
      };
      const ended = common.breaks.length ? `${common.breaks.map(({ text }) => text).join(", ")}.` : "";
      const amounts = (series, what, subtitle, extra = {}) => {
        const largest = 1e6 * Math.max(...series.flatMap(({ values }) => [...values.values()].map(Math.abs)));
        const [size, word] = scaleOf(largest);
        const scaled = series.map((s) => ({
          ...s,
          values: new Map([...s.values].map(([year, v]) => [year, (v * 1e6) / size])),
        }));
        const unit = `${word ? `${word} ` : ""}US dollars`;
        const last = scaled.filter((s) => s.values.size).map((s) => [Math.max(...s.values.keys()), s]);
        if (!last.length)
          throw new Error(
            `${extra.missing ?? "Nothing of this is on record"} for ${a} and ${b}; choose something else to show.`,
          );
        const same = last.every(([year]) => year === last[0][0]);
        const said = last.map(
          ([year, s], i) => `${short(s.values.get(year))}${i ? "" : ` ${unit}`} ${same ? "" : `in ${year} `}${s.name}`,
        );
        return {
          ...common,
          series: scaled,
          unit,
          y: `${unit}${extra.log ? ", logarithmic scale" : ""}`,
          subtitle,
          title: `${what}${same ? ` in ${last[0][0]}` : ""}: ${said.join(", ")}`,
          note: ended,
          ...extra,
        };
      };
      const log = state.scale === "log";
      const level = { log, zero: !log };
      const years = `${from}–${to}`;
      const flowOf = (seller, buyer) =>
        `Exports of ${name(seller)} to ${name(buyer)}, ${years}: free on board in the report of ${side(seller)}, ` +
        `with freight and insurance in that of ${side(buyer)}`;
      switch (state.show) {
        case "out":
          return amounts(
            [
              { name: reports[0], values: sold },
              { name: reports[1], values: bought },
            ],
            `Goods from ${a} to ${b}`,
            flowOf(state.a, state.b),
            level,
          );
        case "back":
          return amounts(
            [
              { name: reports[0], values: boughtBack },
              { name: reports[1], values: soldBack },
            ],
            `Goods from ${b} to ${a}`,
            flowOf(state.b, state.a),
            level,
          );
        case "balance":
          return amounts(
            [
              { name: reports[0], values: combine((x, m) => x - m, sold, boughtBack) },
              { name: reports[1], values: combine((m, x) => m - x, bought, soldBack) },
            ],
            `Trade balance of ${a} with ${b}`,
            `Exports less imports of ${a} in goods trade with ${b}, ${years}`,
            { line: 0, missing: "No year with both directions is on record" },
          );
        case "mirror": {
          const ratios = [
            [`${a} to ${b}`, sold, bought],
            [`${b} to ${a}`, soldBack, boughtBack],
          ].map(([label, x, m]) => {
            const every = combine((one, other) => other / one, x, m);
            return {
              name: label,
              values: new Map([...every].filter(([, r]) => !filled(r))),
              dropped: [...every.values()].filter(filled).length,
            };
          });
          const known = ratios.filter(({ values }) => values.size);
          if (!known.length)
            throw new Error(
              `No flow between ${a} and ${b} is reported by both sides in one year; choose something else to show.`,
            );
          const below = (r) => [...r.values.values()].filter((v) => v < 1).length;
          const dropped = ratios.reduce((sum, r) => sum + r.dropped, 0);
          const unlike = Math.max(...known.flatMap(({ values }) => [...values.values()])) > 8;
          return {
            ...common,
            series: known.map(({ name: label, values }) => ({ name: label, values })),
            y: `importer's figure over exporter's${unlike ? ", logarithmic scale" : ""}`,
            unit: "",
            line: 1,
            band: [1, 1.1],
            log: unlike,
            title: known
              .map(
                (r, i) =>
                  `${i ? "from" : "From"} ${r.name} the importer recorded less than the exporter in ${below(r)} of ${r.values.size} years`,
              )
              .join("; "),
            subtitle:
              "Value with freight and insurance reported by the importer divided by value free on board reported by the " +
              "exporter; grey band: what freight and insurance could explain",
            note: [
              dropped ? `${dropped} values are left out: one report is the IMF's estimate from the other.` : "",
              ended,
            ]
              .join(" ")
              .trim(),
          };
        }
        case "growth": {
          const series = totals
            .map((total, i) => ({ name: reports[i], values: growth(total, common.breaks) }))
            .filter(({ values }) => values.size);
          if (!series.length)
            throw new Error(
              `No two years in a row of the trade of ${a} and ${b} are on record; choose something else to show.`,
            );
          const said = series.map(({ name: who, values }) => {
            const rates = [...values.values()];
            return `in ${rates.filter((v) => v > 0).length} of ${rates.length} years as ${who}`;
          });
          const largest = Math.max(...series.flatMap(({ values }) => [...values.values()]));
          return {
            ...common,
            series,
            y: "per cent on the year before",
            unit: "per cent",
            line: 0,
            title: `Trade between ${a} and ${b} grew ${said.join(", ")}`,
            subtitle: `Growth of exports plus imports in current US dollars, ${years}`,
            note: [
              largest > 1000 ? "Growth from next to nothing makes the largest values." : "",
              ended && `${ended} No growth is counted across that break.`,
            ]
              .join(" ")
              .trim(),
          };
        }
        default:
          return amounts(
            [
              { name: reports[0], values: totals[0] },
              { name: reports[1], values: totals[1] },
            ],
            `Trade between ${a} and ${b}`,
            `Exports plus imports of goods, ${years}`,
            { ...level, missing: "No year with both directions is on record" },
          );
      }
    }

    let turn = 0;
    async function update(store = true) {
      turn += 1;
      const mine = turn;
      form.elements.show.forEach((radio) => (radio.checked = radio.value === state.show));
      form.elements.scale.forEach((radio) => (radio.checked = radio.value === state.scale));
      form.querySelector(".tb-scale").hidden = !LEVELS.includes(state.show);
      form.querySelector("[data-label=out]").textContent = `${name(state.a)} to ${name(state.b)}`;
      form.querySelector("[data-label=back]").textContent = `${name(state.b)} to ${name(state.a)}`;
      form.querySelector("[data-label=balance]").textContent = `balance of ${name(state.a)}`;
      try {
        if (state.a === state.b) throw new Error("An economy does not trade with itself: choose two different ones.");
        const found = await flows();
        if (mine !== turn) return; // another choice was made meanwhile
        if (store)
          remember(box, {
            a: state.a,
            b: state.b,
            show: state.show === "total" ? "" : state.show,
            scale: state.scale === "log" ? "" : state.scale,
          });
        const drawing = picture(found);
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

    const fields = Object.fromEntries(
      ["a", "b"].map((key) => [
        key,
        combobox(form.elements[key], {
          list: () => economies,
          chosen: ({ code }) => {
            state[key] = code;
            update();
          },
          failed: (error) => fail(error.message),
        }),
      ]),
    );
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", (event) => {
      if (!["show", "scale"].includes(event.target.name)) return;
      state[event.target.name] = event.target.value;
      update();
    });
    form.querySelector("[name=swap]").addEventListener("click", () => {
      [state.a, state.b] = [state.b, state.a];
      fields.a(name(state.a));
      fields.b(name(state.b));
      update();
    });

    const wanted = new URLSearchParams(location.search);
    let trouble = "";
    ["a", "b"].forEach((key) => {
      try {
        if (wanted.has(key)) state[key] = resolve(wanted.get(key), economies).code;
        fields[key](name(state[key]));
      } catch (error) {
        fields[key](wanted.get(key));
        trouble = error.message;
      }
    });
    ["show", "scale"].forEach((key) => {
      if ([...form.elements[key]].some((radio) => radio.value === wanted.get(key))) state[key] = wanted.get(key);
    });
    if (trouble) fail(trouble);
    else await update(false);
  };
})();

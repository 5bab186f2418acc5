// Line charts over years in the style of the book's figures: direct labels, quiet grid, colours of the page's mode.
// A slider below the picture reads one year after the other, with pointer, touch or keyboard.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const SERIES = ["c1", "c2", "c3", "c4", "c6"].map((name) => `var(--tb-${name})`);
  const MUTED = "var(--tb-muted)";

  // --- numbers and words -------------------------------------------------------------------------
  const number = (value, digits) => {
    const [whole, rest] = Math.abs(value).toFixed(digits).split(".");
    const text = whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? `.${rest}` : "");
    return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
  };
  const digitsFor = (value) => {
    const size = Math.abs(value);
    return size >= 1000
      ? 0
      : size >= 10
        ? 1
        : size >= 1
          ? 2
          : size === 0
            ? 0
            : Math.min(9, 2 - Math.floor(Math.log10(size)));
  };
  const short = (value) => number(value, digitsFor(value));
  const scaleOf = (largest) =>
    [
      [1e12, "trillion"],
      [1e9, "billion"],
      [1e6, "million"],
    ].find(([size]) => largest >= size) ?? [1, ""];

  // A series is stored as "first year,value,value,…" with nothing between two commas where nothing was reported.
  function read(text) {
    const found = new Map();
    if (text) {
      const [first, ...values] = text.split(",");
      values.forEach((value, i) => value && found.set(Number(first) + i, Number(value)));
    }
    return found;
  }

  // --- scales --------------------------------------------------------------------------------------
  function roundSteps(low, high, most, steps) {
    const raw = (high - low) / most || 1;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [...steps, 10].map((s) => s * power).find((s) => s >= raw * 0.999);
    const ticks = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1) ticks.push(i * step);
    return ticks;
  }
  function logTicks(low, high) {
    for (const steps of [[1, 2, 5], [1]]) {
      const ticks = [];
      for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p += 1) {
        ticks.push(...steps.map((s) => Number(`${s}e${p}`)).filter((t) => t >= low && t <= high));
      }
      if (ticks.length <= 9 || steps.length === 1) {
        const every = Math.ceil(ticks.length / 8);
        return ticks.filter((_, i) => i % every === 0);
      }
    }
    return [];
  }
  const plain = (value) => {
    const text = Number(value.toPrecision(10)).toString().replace("-", "−");
    const [whole, rest] = text.split(".");
    return whole.includes("e") ? text : whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? `.${rest}` : "");
  };
  function wrap(text, width) {
    const lines = [""];
    text.split(" ").forEach((word) => {
      const last = lines[lines.length - 1];
      if (last && last.length + 1 + word.length > width) lines.push(word);
      else lines[lines.length - 1] = last ? `${last} ${word}` : word;
    });
    return lines;
  }

  function element(parent, tag, attributes = {}, text = "") {
    const made = document.createElementNS(SVG, tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    if (text) made.textContent = text;
    parent.append(made);
    return made;
  }

  // Labels at the right edge, pushed apart where they would touch.
  function spread(labels, size) {
    labels.sort((a, b) => a.y - b.y);
    for (let round = 0; round < 60; round += 1) {
      let moved = false;
      for (let i = 0; i + 1 < labels.length; i += 1) {
        const room = (size * (labels[i].lines.length + labels[i + 1].lines.length)) / 2;
        const lacking = room - (labels[i + 1].place - labels[i].place);
        if (lacking > 0.05) {
          labels[i].place -= lacking / 2;
          labels[i + 1].place += lacking / 2;
          moved = true;
        }
      }
      if (!moved) break;
    }
  }

  // Draw `what` into `host`; returns what the slider needs to point at a year.
  function draw(host, what) {
    host.textContent = "";
    const width = Math.max(host.clientWidth, 240);
    const narrow = width < 560;
    const height = Math.round(narrow ? width : width * 0.53);
    const type = 12.6;
    const svg = element(host, "svg", {
      viewBox: `0 0 ${width} ${height}`,
      "aria-hidden": "true",
      focusable: "false",
      "font-size": type,
    });
    const labels = what.series
      .map((series) => ({ series, ends: [...series.values].filter(([year]) => year >= what.from && year <= what.to) }))
      .filter(({ ends }) => ends.length)
      .map(({ series, ends }) => ({
        series,
        value: ends[ends.length - 1][1],
        lines: wrap(series.name, narrow ? 11 : 18),
      }));
    const values = what.series.flatMap(({ values: all }) =>
      [...all].filter(([y]) => y >= what.from && y <= what.to).map(([, v]) => v),
    );
    const extra = [...(what.band ?? []), ...(what.line !== undefined ? [what.line] : [])];
    let [low, high] = [Math.min(...values, ...extra), Math.max(...values, ...extra)];
    if (what.log) [low, high] = [low * 0.8, high * 1.25];
    else {
      if (what.zero && low > 0) low = 0;
      const margin = 0.05 * (high - low) || Math.abs(high) * 0.05 || 1;
      [low, high] = [low === 0 ? 0 : low - margin, high + margin];
    }
    const ticks = what.log ? logTicks(low, high) : roundSteps(low, high, narrow ? 5 : 7, [1, 2, 2.5, 5]);
    const probe = element(svg, "text", {}, "");
    const wide = (text) => {
      probe.textContent = text;
      return probe.getComputedTextLength();
    };
    const left = Math.ceil(Math.max(...ticks.map((t) => wide(plain(t))), 8)) + 7;
    const right = labels.length
      ? Math.ceil(Math.max(...labels.flatMap(({ lines }) => lines.map((l) => wide(l))))) + 11
      : 8;
    probe.remove();
    const caption = wrap(what.y, narrow ? 48 : 96);
    const [top, bottom] = [8 + caption.length * 15, height - 24];
    const inner = width - left - right;
    const span = Math.max(what.to - what.from, 1);
    const x = (year) => left + ((year - what.from) / span) * inner;
    const bend = what.log ? Math.log : (v) => v;
    const y = (value) => bottom - ((bend(value) - bend(low)) / (bend(high) - bend(low))) * (bottom - top);

    caption.forEach((line, i) => element(svg, "text", { x: left, y: 13 + 15 * i, fill: MUTED }, line));
    if (what.band) {
      const [bandLow, bandHigh] = what.band;
      element(svg, "rect", {
        x: left,
        width: inner,
        y: y(bandHigh),
        height: y(bandLow) - y(bandHigh),
        fill: MUTED,
        opacity: 0.15,
      });
    }
    ticks.forEach((tick) => {
      element(svg, "path", { d: `M${left} ${y(tick)}h${inner}`, stroke: "var(--tb-grid)", "stroke-width": 0.9 });
      element(svg, "text", { x: left - 6, y: y(tick) + 4, fill: MUTED, "text-anchor": "end" }, plain(tick));
    });
    if (what.line !== undefined)
      element(svg, "path", { d: `M${left} ${y(what.line)}h${inner}`, stroke: MUTED, "stroke-width": 1.3 });
    element(svg, "path", { d: `M${left} ${bottom}h${inner}`, stroke: MUTED, "stroke-width": 1 });
    const yearTicks = roundSteps(what.from, what.to, narrow ? 5 : 9, [1, 2, 5]).filter((t) => Number.isInteger(t));
    yearTicks.forEach((tick) => {
      element(svg, "path", { d: `M${x(tick)} ${bottom}v4`, stroke: MUTED });
      element(svg, "text", { x: x(tick), y: bottom + 18, fill: MUTED, "text-anchor": "middle" }, String(tick));
    });
    (what.breaks ?? []).forEach(({ year, text }, i) => {
      if (year < what.from || year >= what.to) return;
      const at = x(year + 0.5);
      element(svg, "path", {
        d: `M${at} ${top}V${bottom}`,
        stroke: MUTED,
        "stroke-width": 1.1,
        "stroke-dasharray": "1.2 2.6",
      });
      const before = at - left > wide.length && at > width * 0.4;
      const spot = {
        x: before ? at - 5 : at + 5,
        y: bottom - 7 - 15 * i,
        fill: MUTED,
        "font-size": 11.4,
        "text-anchor": before ? "end" : "start",
      };
      element(svg, "text", { ...spot, class: "tb-halo" }, text);
    });
    what.series.forEach(({ values: all, colour }) => {
      const points = [...all].filter(([year]) => year >= what.from && year <= what.to).sort(([a], [b]) => a - b);
      // A line stops where a year is missing; a value between two gaps is a dot. A series of every tenth year
      // has no gap.
      const steps = points
        .slice(1)
        .map(([year], i) => year - points[i][0])
        .sort((a, b) => a - b);
      const usual = steps[Math.floor((steps.length - 1) / 2)] ?? 1;
      let path = "";
      points.forEach(([year, value], i) => {
        const joined = i > 0 && year - points[i - 1][0] <= usual;
        const goesOn = i + 1 < points.length && points[i + 1][0] - year <= usual;
        path += `${joined ? "L" : "M"}${x(year).toFixed(1)} ${y(value).toFixed(1)}`;
        if ((!joined && !goesOn) || points.length < 4)
          element(svg, "circle", { cx: x(year), cy: y(value), r: 2.8, fill: colour });
      });
      element(svg, "path", {
        d: path,
        fill: "none",
        stroke: colour,
        "stroke-width": 2.5,
        "stroke-linejoin": "round",
        "stroke-linecap": "round",
      });
    });
    labels.forEach((label) => {
      label.y = y(label.value);
      label.place = label.y;
    });
    spread(labels, 14);
    labels.forEach(({ lines, place, series }) => {
      const start = place - (lines.length - 1) * 7 + 4;
      lines.forEach((line, i) =>
        element(svg, "text", { x: left + inner + 8, y: start + 14 * i, fill: series.colour, "font-size": 12 }, line),
      );
    });
    const pointer = element(svg, "g", { visibility: "hidden" });
    const rule = element(pointer, "path", { stroke: "var(--tb-ink)", "stroke-width": 1, "stroke-dasharray": "3 3" });
    const dots = what.series.map(({ colour }) =>
      element(pointer, "circle", { r: 4.2, fill: colour, stroke: "var(--tb-page)", "stroke-width": 1.5 }),
    );
    return {
      left,
      inner,
      yearAt: (pixel) => Math.round(what.from + ((pixel - left) / inner) * span),
      point(year) {
        pointer.setAttribute("visibility", "visible");
        rule.setAttribute("d", `M${x(year)} ${top}V${bottom}`);
        dots.forEach((dot, i) => {
          const value = what.series[i].values.get(year);
          dot.setAttribute("visibility", value === undefined ? "hidden" : "inherit");
          if (value !== undefined) {
            dot.setAttribute("cx", x(year));
            dot.setAttribute("cy", y(value));
          }
        });
      },
    };
  }

  const reading = (what, year) => {
    const said = what.series.map(
      ({ name, values }) => `${name} ${values.has(year) ? short(values.get(year)) : "not reported"}`,
    );
    return `${year}: ${said.join("; ")}${what.unit ? ` (${what.unit})` : ""}`;
  };
  function describe(what) {
    const parts = what.series.map(({ name, values }) => {
      const known = [...values].filter(([year]) => year >= what.from && year <= what.to).sort(([a], [b]) => a - b);
      if (!known.length) return `${name}: nothing reported.`;
      const [first, last] = [known[0], known[known.length - 1]];
      const top = known.reduce((best, one) => (one[1] > best[1] ? one : best));
      const bottom = known.reduce((best, one) => (one[1] < best[1] ? one : best));
      const at = ([year, value]) => `${short(value)} in ${year}`;
      return `${name}: ${at(first)}, ${at(last)}; highest ${at(top)}, lowest ${at(bottom)}.`;
    });
    return `Line chart, ${what.y}, ${what.from}–${what.to}. ${parts.join(" ")}`;
  }

  const html = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // The figure of an explorer: takes the place of the one that the build has drawn.
  function figure(box) {
    const old = box.querySelector("figure");
    const label = old.querySelector(".tb-head strong").textContent.match(/^Figure [\w.]+\./)[0];
    const anchor = old.querySelector(".tb-head .headerlink");
    const title = html("strong");
    const subtitle = html("span");
    const plot = html("div", { className: "tb-plot tb-live" });
    plot.setAttribute("role", "img");
    const slider = html("input", { type: "range", step: 1 });
    slider.setAttribute("aria-label", "Read the chart at a year");
    const readout = html("p", { className: "tb-reading" });
    const source = html("p", { className: "tb-source" });
    const said = html("p", { className: "visually-hidden" });
    said.setAttribute("role", "status");
    const caption = html("figcaption", { className: "tb-head" }, title, subtitle);
    const made = html("figure", { className: "tb-figure", id: old.id }, caption, plot, slider, readout, source);
    const table = box.querySelector("table");
    let [shown, drawn, width, address] = [null, null, 0, ""];

    function point(year, quiet) {
      if (!quiet) drawn.point(year);
      slider.value = year;
      const text = reading(shown, year);
      slider.setAttribute("aria-valuetext", text);
      readout.textContent = text;
    }
    function redraw() {
      width = plot.clientWidth;
      drawn = draw(plot, shown);
      slider.style.marginLeft = `${drawn.left - 8}px`; // the thumb is 16 pixels wide: its middle runs along the axis
      slider.style.width = `${drawn.inner + 16}px`;
      point(Number(slider.value), true); // the line of the year shows once a reader looks for one
    }
    slider.addEventListener("input", () => point(Number(slider.value)));
    plot.addEventListener("pointermove", (event) => {
      const year = drawn.yearAt(event.clientX - plot.getBoundingClientRect().left);
      point(Math.min(shown.to, Math.max(shown.from, year)));
    });
    new ResizeObserver(() => shown && plot.clientWidth !== width && redraw()).observe(plot);

    return (what) => {
      if (!made.isConnected) {
        old.replaceWith(made);
        made.after(said);
      }
      shown = { ...what, series: what.series.map((series, i) => ({ colour: SERIES[i], ...series })) };
      title.replaceChildren(`${label} ${what.title}`, anchor ?? "");
      subtitle.textContent = what.subtitle;
      plot.setAttribute("aria-label", describe(shown));
      said.textContent = what.title;
      Object.assign(slider, { min: what.from, max: what.to });
      slider.value = Math.max(...shown.series.flatMap(({ values }) => [...values.keys()].filter((y) => y <= what.to)));
      redraw();
      // The table shows the same numbers, the newest year first; the CSV has them with all their digits.
      const years = [...new Set(shown.series.flatMap(({ values }) => [...values.keys()]))]
        .filter((year) => year >= what.from && year <= what.to)
        .sort((a, b) => b - a);
      const cells = shown.series.flatMap(({ values }) =>
        years.filter((y) => values.has(y)).map((y) => Math.abs(values.get(y))),
      );
      const digits = Math.max(0, Math.min(6, digitsFor(Math.max(...cells)) + 1));
      const heads = ["year", ...shown.series.map(({ name }) => name)];
      table.tHead.replaceChildren(
        html(
          "tr",
          {},
          ...heads.map((text, i) => html("th", { scope: "col", className: i ? "num" : "", textContent: text })),
        ),
      );
      table.tBodies[0].replaceChildren(
        ...years.map((year) =>
          html(
            "tr",
            {},
            html("th", { scope: "row", textContent: year }),
            ...shown.series.map(({ values }) =>
              html("td", { className: "num", textContent: values.has(year) ? number(values.get(year), digits) : "–" }),
            ),
          ),
        ),
      );
      table.caption.textContent = `The numbers of the figure: ${what.unit || what.y}`;
      const quote = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
      const rows = [...years]
        .reverse()
        .map((year) => [
          year,
          ...shown.series.map(({ values }) => (values.has(year) ? Number(values.get(year).toPrecision(12)) : "")),
        ]);
      const csv = [
        `# ${what.title}`,
        `# Unit: ${what.unit || what.y}`,
        ...what.tables.map((t) => `# Source: ${t.source}`),
        ...what.tables.map((t) => `# Licence: ${t.licence}`),
        heads.map(quote).join(","),
        ...rows.map((row) => row.join(",")),
      ].join("\n");
      URL.revokeObjectURL(address);
      address = URL.createObjectURL(new Blob([`${csv}\n`], { type: "text/csv" }));
      const places = what.tables.flatMap((t, i) => [
        i ? ", " : "",
        html("a", { href: `data.html#${t.name}`, textContent: t.name }),
      ]);
      source.replaceChildren(
        what.note ? `${what.note} ` : "",
        `Source: ${[...new Set(what.tables.map((t) => t.publisher))].join("; ")}; own calculation from `,
        what.tables.length > 1 ? "tables " : "table ",
        ...places,
        ". ",
        html("a", { href: address, download: `${what.file}.csv`, textContent: "Data (CSV)" }),
        " · ",
        html("a", { href: location.href, textContent: "Link to this view" }),
      );
    };
  }

  Object.assign(window.tbExplore, { figure, read, scaleOf, short, number, html });
})();

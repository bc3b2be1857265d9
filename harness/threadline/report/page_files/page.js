(function () {
  "use strict";
  const all = [...document.querySelectorAll(".failure")];
  const filter = document.getElementById("filter");
  const status = document.getElementById("status");
  const hits = document.getElementById("hits");
  const rows = new Map([...document.querySelectorAll("[data-row]")].map((row) => [row.dataset.row, row]));
  const texts = new Map(all.map((each) => [each, each.textContent.toLowerCase()]));
  let at = -1;

  function narrow() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const each of all) {
      const fits = words.every((word) => texts.get(each).includes(word))
        && (!status || !status.value || status.value === each.dataset.status);
      each.hidden = !fits;
      if (rows.has(each.id)) rows.get(each.id).hidden = !fits;
      shown += fits;
    }
    hits.textContent = shown + " of " + all.length;
  }

  function go(step) {
    const shown = all.filter((each) => !each.hidden);
    if (!shown.length) return;
    const now = shown.indexOf(all[at]);
    const next = shown[now < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, now + step))];
    if (at >= 0) all[at].classList.remove("at");
    at = all.indexOf(next);
    next.classList.add("at");
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  }

  function select(code) {
    const range = document.createRange();
    range.selectNodeContents(code);
    const chosen = window.getSelection();
    chosen.removeAllRanges();
    chosen.addRange(range);
  }

  async function copy(button) {
    const code = document.getElementById(button.dataset.copies);
    const said = button.parentElement.querySelector(".said");
    select(code);
    try {
      await navigator.clipboard.writeText(code.textContent);
      said.textContent = "Copied";
    } catch (refused) {
      said.textContent = "Selected: copy it with Ctrl+C";
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copies]");
    if (button) copy(button);
  });

  if (filter) {
    filter.form.addEventListener("submit", (event) => event.preventDefault());
    filter.addEventListener("input", narrow);
    if (status) status.addEventListener("change", narrow);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (typing) {
      if (event.key === "Escape" && filter) { filter.value = ""; narrow(); filter.blur(); }
      return;
    }
    if (event.key === "/" && filter) { event.preventDefault(); filter.focus(); }
    if (event.key === "j") go(1);
    if (event.key === "k") go(-1);
    if (event.key === "c") {
      const button = (all[at] || document).querySelector(".failure:not([hidden]) [data-copies], [data-copies]");
      if (button) copy(button);
    }
  });

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [14, 4], [5, 2], [3, 6], [1, 2]];

  function draw(place, plot) {
    const grid = { stroke: () => css("--line"), width: 1 };
    const axis = { stroke: () => css("--soft"), grid, ticks: grid, font: "12px system-ui, sans-serif" };
    const day = (at) => Number.isInteger(at) && plot.days[at] ? plot.days[at].slice(5) : "";
    const x = plot.days.length
      ? { ...axis, values: (u, ats) => ats.map(day), space: 60 }
      : { ...axis, values: (u, ats) => ats.map((at) => short.format(at) + " s") };
    const made = new uPlot({
      width: Math.max(240, place.clientWidth), height: 200,
      scales: { x: { time: false }, y: { range: (u, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
      axes: [x, { ...axis, values: (u, ats) => ats.map((at) => short.format(at)), size: 52 }],
      series: [
        { label: plot.days.length ? "night" : "after",
          value: (u, at) => at == null ? "" : plot.days.length ? plot.days[at] : at + " s" },
        ...plot.lines.map((line, n) => ({
          label: line.name, stroke: () => css("--p" + n % 6), width: 2, dash: DASHES[n % DASHES.length],
          points: { show: plot.x.length < 40, size: 5 },
          value: (u, y) => y == null ? "-" : y.toLocaleString("en"),
        })),
      ],
    }, [plot.x, ...plot.lines.map((line) => line.y)], place);
    new ResizeObserver(() => made.setSize({ width: Math.max(240, place.clientWidth), height: 200 })).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => made.redraw(false));
  }

  const plots = JSON.parse(document.getElementById("data").textContent);
  for (const place of document.querySelectorAll("[data-plot]")) draw(place, plots[place.dataset.plot]);
})();

"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const all = (selector, from) => Array.from((from || document).querySelectorAll(selector));
  const charts = JSON.parse(document.getElementById("readings").textContent);

  // Theme: automatic, light, dark. A page opened from a file may be refused any storage.
  const button = document.getElementById("theme");
  const themes = ["automatic", "light", "dark"];
  const keep = (value) => { try { value === undefined || localStorage.setItem("mammo-theme", value); return localStorage.getItem("mammo-theme"); } catch { return null; } };
  const dress = (theme) => {
    button.textContent = "Theme: " + theme;
    if (theme === "automatic") root.removeAttribute("data-theme"); else root.dataset.theme = theme;
  };
  let theme = themes.includes(keep()) ? keep() : "automatic";
  dress(theme);
  button.addEventListener("click", () => { theme = themes[(themes.indexOf(theme) + 1) % 3]; keep(theme); dress(theme); });

  // Charts: which subgroup, which view, and the values at a severity.
  const chosen = (name) => { const input = document.querySelector(`input[name="${name}"]:checked`); return input ? input.value : null; };
  const make = (tag, name, text) => { const made = document.createElement(tag); made.className = name; made.textContent = text; return made; };
  const read = (figure, told) => {
    const chart = charts[Number(figure.dataset.chart)];
    const slider = figure.querySelector(".scrub");
    const at = Number(slider.value), subgroup = chosen("subgroup");
    const shown = chart.series.filter((series) => subgroup === "every" || String(series.place) === subgroup);
    const lines = [make("p", "at", chart.labels[at])];
    const spoken = [chart.labels[at]];
    for (const series of shown) {
      const [own, ...more] = series.readings[at];
      const line = make("p", "s" + (series.place % 6), "");
      line.append(make("span", "name", series.subgroup), " " + own);
      lines.push(line);
      spoken.push(series.subgroup + " " + own);
      if (subgroup !== "every" || shown.length === 1) {
        for (const text of more) { lines.push(make("p", "more", text)); spoken.push(text); }
      }
    }
    if (!shown.length) lines.push(make("p", "more", "no curve of this subgroup"));
    figure.querySelector(".readout").replaceChildren(...lines);
    slider.setAttribute("aria-valuetext", spoken.join(". "));
    const guide = figure.querySelector(".guide");
    guide.setAttribute("transform", `translate(${chart.x[at]} 0)`);
    guide.classList.toggle("off", !told && !guide.dataset.told);
    if (told) guide.dataset.told = "yes";
  };
  const redraw = () => {
    const subgroup = chosen("subgroup"), view = chosen("view");
    for (const series of all(".chart .series, .lines .series")) {
      const mine = series.dataset.subgroup === subgroup;
      series.classList.toggle("off", subgroup !== "every" && !mine);
      series.classList.toggle("chosen", mine);
    }
    for (const drawn of all(".chart .view")) drawn.classList.toggle("off", drawn.dataset.view !== view);
    for (const figure of all(".chart")) read(figure, false);
  };
  for (const input of all('input[name="subgroup"], input[name="view"]')) input.addEventListener("change", redraw);
  for (const figure of all(".chart")) {
    const slider = figure.querySelector(".scrub"), svg = figure.querySelector("svg");
    const chart = charts[Number(figure.dataset.chart)];
    for (const event of ["input", "focus"]) slider.addEventListener(event, () => read(figure, true));
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      const distance = chart.x.map((place) => Math.abs(place - x));
      slider.value = String(distance.indexOf(Math.min(...distance)));
      read(figure, true);
    });
  }
  redraw();

  // The matrix is one stop of the Tab key; arrows move inside it.
  const table = document.querySelector(".matrix");
  if (table) {
    const rows = all("tr", table).map((row) => Array.from(row.children));
    const stops = all("a", table);
    stops.forEach((link, number) => { link.tabIndex = number ? -1 : 0; });
    const go = (link) => {
      for (const other of stops) other.tabIndex = -1;
      link.tabIndex = 0;
      link.focus();
    };
    table.addEventListener("keydown", (event) => {
      const cell = event.target.closest("td"), link = event.target.closest("a");
      if (!cell || !link) return;
      const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
      if (event.key === "Home" || event.key === "End") {
        event.preventDefault();
        return go(event.key === "Home" ? stops[0] : stops[stops.length - 1]);
      }
      if (!step) return;
      event.preventDefault();
      const inside = all("a", cell), next = inside[inside.indexOf(link) + step[0]];
      if (step[0] && next) return go(next);
      let row = rows.findIndex((cells) => cells.includes(cell)), column = rows[row].indexOf(cell);
      for (;;) {
        row += step[0]; column += step[1];
        if (!rows[row] || !rows[row][column]) {
          // The end of a row leads on to the next one, so that no cell is out of reach.
          if (step[0] || !rows[row + step[1]]) return;
          row += step[1];
          column = step[1] > 0 ? 0 : rows[row].length - 1;
        }
        const found = all("a", rows[row][column]);
        if (found.length) return go(step[0] < 0 ? found[found.length - 1] : found[0]);
      }
    });
  }

  // Claims: a link may lead to one that the filter hides.
  const claims = all(".claim");
  const filter = () => {
    const outcome = chosen("shown");
    for (const claim of claims) claim.hidden = outcome !== "all" && claim.dataset.outcome !== outcome;
    const part = document.querySelector(".part");
    if (!part) return;
    const shown = claims.filter((claim) => !claim.hidden).length;
    part.textContent = `${shown} of ${claims.length} claims: those ${outcome.replace("_", " ")}`;
    part.classList.toggle("off", outcome === "all");
  };
  for (const input of all('input[name="shown"]')) input.addEventListener("change", filter);
  const arrive = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.classList.contains("claim")) return;
    if (target.hidden) { document.querySelector('input[name="shown"][value="all"]').checked = true; filter(); }
    target.scrollIntoView({ block: "center" });
    target.focus({ preventScroll: true });
  };
  addEventListener("hashchange", arrive);
  filter();
  arrive();
})();

// Comfort for those whose browser runs scripts; everything can be read without.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("has-js");
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));

  // Light or dark: what was chosen here goes before what the system wants.
  const theme = one("#theme");
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const named = () => { if (theme) theme.textContent = isDark() ? "Light" : "Dark"; };
  try { const kept = localStorage.getItem("proofload-theme"); if (kept === "dark" || kept === "light") root.dataset.theme = kept; } catch { /* files may have no storage */ }
  named();
  theme?.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("proofload-theme", root.dataset.theme); } catch { /* as above */ }
    named();
  });

  // Values under the pointer. All charts of one axis have the same cross line.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  document.body.append(tip);
  const numbers = new WeakMap();
  const pointsOf = (chart) => {
    // A live page gives an element new points.
    let known = numbers.get(chart);
    if (known?.text !== chart.dataset.x) {
      known = { text: chart.dataset.x, points: chart.dataset.x.split(" ").map(Number) };
      numbers.set(chart, known);
    }
    return known.points;
  };
  const nearest = (points, x) => {
    let low = 0, high = points.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle] <= x) low = middle; else high = middle;
    }
    return Math.abs(points[high] - x) < Math.abs(points[low] - x) ? high : low;
  };
  const crossAt = (chart, fraction) => {
    const axis = chart.dataset.axis || "time";
    for (const other of all("svg.chart[data-x]")) {
      if ((other.dataset.axis || "time") !== axis) continue;
      let cross = one(":scope > .cross", other);
      if (fraction === null) { cross?.remove(); continue; }
      if (!cross) {
        cross = document.createElementNS("http://www.w3.org/2000/svg", "line");
        cross.setAttribute("class", "cross");
        cross.setAttribute("y2", "100%");
        other.insertBefore(cross, one(":scope > .hit", other));
      }
      const x = `${(fraction * 100).toFixed(2)}%`;
      cross.setAttribute("x1", x);
      cross.setAttribute("x2", x);
    }
  };
  const row = (name, value) => {
    const line = document.createElement("div"), left = document.createElement("i"), right = document.createElement("span");
    left.textContent = name;
    right.textContent = value;
    line.append(left, right);
    return line;
  };
  const show = (chart, at, box) => {
    const points = pointsOf(chart), fraction = points[at] / 4000;
    crossAt(chart, fraction);
    const head = document.createElement("b");
    head.textContent = chart.dataset.l.split("|")[at] || "";
    const rows = all("[data-v]", chart).map((series) => row(series.dataset.n, series.dataset.v.split("|")[at] || "–"));
    tip.replaceChildren(head, ...rows);
    tip.hidden = false;
    const size = tip.getBoundingClientRect(), x = box.left + fraction * box.width;
    const left = x + 14 + size.width < innerWidth ? x + 14 : x - 14 - size.width;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, Math.min(box.top + 8, innerHeight - size.height - 4))}px`;
    chart.dataset.at = at;
  };
  const hide = (chart) => { tip.hidden = true; crossAt(chart, null); };
  const boxOf = (chart) => one(":scope > .hit", chart).getBoundingClientRect();
  let pointer = null;
  const point = (element) => {
    const chart = element?.closest?.("svg.chart[data-x]");
    if (!chart || !pointer) return;
    const box = boxOf(chart);
    show(chart, nearest(pointsOf(chart), (pointer.x - box.left) / box.width * 4000), box);
  };
  document.addEventListener("pointermove", (event) => {
    pointer = { x: event.clientX, y: event.clientY };
    point(event.target);
  });
  document.addEventListener("pointerout", (event) => {
    const chart = event.target.closest?.("svg.chart[data-x]");
    if (!chart || chart.contains(event.relatedTarget)) return;
    pointer = null;
    hide(chart);
  });
  document.addEventListener("focusin", (event) => { if (event.target.matches?.("svg.chart[data-x]:focus-visible")) show(event.target, Number(event.target.dataset.at || 0), boxOf(event.target)); });
  document.addEventListener("focusout", (event) => { if (event.target.matches?.("svg.chart[data-x]")) hide(event.target); });
  document.addEventListener("keydown", (event) => {
    const chart = event.target;
    if (!chart.matches?.("svg.chart[data-x]")) return;
    const last = pointsOf(chart).length - 1, at = Number(chart.dataset.at || 0);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 10, PageDown: at + 10, Home: 0, End: last }[event.key];
    if (event.key === "Escape") hide(chart);
    if (to === undefined) return;
    event.preventDefault();
    show(chart, Math.max(0, Math.min(last, to)), boxOf(chart));
  });
  const reachable = (from) => all("svg.chart[data-x]:not([tabindex])", from).forEach((chart) => chart.setAttribute("tabindex", "0"));
  reachable(document);
  new MutationObserver((changes) => {
    const hasCharts = (node) => node.nodeType === 1 && (node.matches("svg.chart") || node.querySelector("svg.chart"));
    if (!changes.some((change) => Array.from(change.addedNodes).some(hasCharts))) return;
    reachable(document);
    // What is under a pointer that rests has been drawn anew.
    if (pointer && !tip.hidden) point(document.elementFromPoint(pointer.x, pointer.y));
  }).observe(document.body, { childList: true, subtree: true });

  // Tables that sort: by what a cell says it sorts by, else by its text.
  const keyOf = (line, column) => {
    const cell = line.cells[column];
    if (!cell) return "";
    const key = cell.dataset.s ?? cell.textContent.trim();
    return cell.dataset.s === undefined || Number.isNaN(Number(key)) ? key : Number(key);
  };
  const compare = (a, b) => {
    const isNumber = (value) => typeof value === "number";
    if (isNumber(a) && isNumber(b)) return a - b;
    if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1;
    return a.localeCompare(b, undefined, { numeric: true });
  };
  const arrange = (table, column, direction) => {
    const heads = table.tHead.rows[0].cells, body = table.tBodies[0], sign = direction === "ascending" ? 1 : -1;
    for (const other of heads) if (other !== heads[column]) other.removeAttribute("aria-sort");
    heads[column].setAttribute("aria-sort", direction);
    const lines = Array.from(body.rows).map((line) => [keyOf(line, column), line]);
    lines.sort((a, b) => sign * compare(a[0], b[0]));
    body.append(...lines.map((pair) => pair[1]));
  };
  // A table can be sorted by its headings; one that is about to take the place of another is sorted as that is.
  const prepare = (root, before) => {
    const known = before ? all("table.sortable", before) : [];
    all("table.sortable", root).forEach((table, at) => {
      if (!table.tBodies[0] || table.tBodies[0].rows.length < 2) return;
      const heads = Array.from(table.tHead.rows[0].cells);
      for (const heading of heads) {
        if (heading.matches(".unsorted") || one(":scope > button", heading)) continue;
        const button = document.createElement("button");
        button.type = "button";
        button.append(...heading.childNodes);
        heading.append(button);
      }
      const sorted = known[at] && one("th[aria-sort]", known[at]);
      const column = sorted ? heads.findIndex((heading) => heading.textContent === sorted.textContent) : -1;
      if (column >= 0) arrange(table, column, sorted.getAttribute("aria-sort"));
    });
  };
  document.addEventListener("click", (event) => {
    const heading = event.target.closest?.("table.sortable > thead th > button")?.parentElement;
    if (!heading) return;
    const before = heading.getAttribute("aria-sort"), isFirst = before === null;
    // Numbers are looked at from the largest, names from A.
    const isUp = before === "descending" || (isFirst && !heading.classList.contains("n"));
    arrange(heading.closest("table"), heading.cellIndex, isUp ? "ascending" : "descending");
  });
  prepare(document);
  // For the live page, whose tables are drawn again and again.
  globalThis.proofload = { prepare };

  // One phase only: what belongs to others goes away; in charts over time it is pointed out.
  one("#phase-filter")?.addEventListener("change", (event) => {
    const phase = event.target.value;
    for (const item of all("[data-phase]")) {
      const isOther = phase !== "" && item.dataset.phase !== phase;
      if (item instanceof SVGElement) {
        item.classList.toggle("faded", isOther);
        item.classList.toggle("on", phase !== "" && !isOther);
      } else item.hidden = isOther;
      if (item.matches("details.by-phase")) item.open = phase !== "" && !isOther;
    }
    const whole = one(".all-phases");
    if (whole) whole.hidden = phase !== "";
  });

  // The result that is embedded, as a file again.
  one("#download")?.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([one("#result").textContent], { type: "application/json" }));
    link.download = "result.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
})();

// Finds figures with data-chart, draws them with Chart.js, keeps them in step with the theme, and writes the table beside each.

import { buildChart } from "./chart_kinds.js";
import { readTheme } from "./chart_theme.js";

const root = document.documentElement;
const live = new Map();
const seen = new WeakSet();
// What the reader opened survives a figure that polling replaces; keyed by the figure's id.
const openTables = new Set();
const chosenDays = new Map();
let library = null;

function loadLibrary() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = root.dataset.chartScript;
    script.onload = () => resolve(window.Chart);
    script.onerror = () => reject(new Error("Chart.js did not load"));
    document.head.append(script);
  });
  return library;
}

function words() {
  return document.getElementById("chart-words").dataset;
}

function readData(figure) {
  // its own, whatever else on the page has the same name
  return JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
}

function recall(figure) {
  figure.querySelector("[data-chart-table]").open = openTables.has(figure.id);
  const days = chosenDays.get(figure.id);
  const range = days && figure.querySelector(`[data-chart-ranges] [data-days="${days}"]`);
  if (range) press(range);
}

function press(range) {
  for (const other of range.parentElement.children) other.setAttribute("aria-pressed", String(other === range));
}

function shownDays(figure) {
  const pressed = figure.querySelector("[data-chart-ranges] [aria-pressed=true]");
  return pressed ? Number(pressed.dataset.days) : 0;
}

function drawLegend(figure, entries) {
  const list = figure.querySelector("[data-chart-legend]");
  list.replaceChildren(
    ...entries.map(({ label, kind, color, dash }) => {
      const item = document.createElement("li");
      item.append(legendKey(kind, color, dash), label);
      return item;
    }),
  );
}

function legendKey(kind, color, dash) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "chart-key");
  svg.setAttribute("viewBox", "0 0 18 12");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", kind === "line" ? "path" : "rect");
  const attributes =
    kind === "line"
      ? { d: "M0 6H18", stroke: color, "stroke-width": 2, "stroke-dasharray": dash ? "4 3" : "none", fill: "none" }
      : { width: 18, height: 12, rx: 2, fill: color };
  for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
  svg.append(shape);
  return svg;
}

function fillTable(figure, table) {
  const wrap = figure.querySelector("[data-chart-table] .table-wrap");
  const element = document.createElement("table");
  element.className = "table table-compact";
  const head = element.createTHead().insertRow();
  table.columns.forEach((name, position) => {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    if (position > 0) cell.className = "num";
    head.append(cell);
  });
  const body = element.createTBody();
  for (const values of table.rows()) {
    const row = body.insertRow();
    values.forEach((value, position) => {
      const cell = row.insertCell();
      cell.textContent = value;
      if (position > 0) cell.className = "num";
    });
  }
  wrap.replaceChildren(element);
}

async function draw(figure) {
  const place = figure.querySelector("[data-chart-canvas]");
  try {
    const Chart = await loadLibrary();
    if (!figure.isConnected) return;
    live.get(figure)?.destroy();
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", figure.getAttribute("aria-label"));
    const summary = figure.querySelector(".chart-summary");
    if (summary) canvas.setAttribute("aria-describedby", summary.id);
    place.replaceChildren(canvas);
    const built = buildChart(figure.dataset.chart, readData(figure), {
      theme: readTheme(),
      words: words(),
      days: shownDays(figure),
      lang: root.lang,
    });
    drawLegend(figure, built.legend);
    figure.builtTable = built.table;
    live.set(figure, new Chart(canvas, built.config));
    const ranges = figure.querySelector("[data-chart-ranges]");
    if (ranges) ranges.hidden = false;
    if (figure.querySelector("[data-chart-table]").open) fillTable(figure, built.table);
  } catch (error) {
    console.error(error);
    const note = document.createElement("p");
    note.className = "chart-failed";
    note.textContent = place.dataset.failed;
    place.replaceChildren(note);
  }
}

function drawAll() {
  for (const [figure, chart] of live) {
    if (figure.isConnected) continue;
    chart.destroy();
    live.delete(figure);
  }
  for (const figure of document.querySelectorAll("[data-chart]")) {
    if (seen.has(figure)) continue;
    seen.add(figure);
    recall(figure);
    draw(figure);
  }
}

document.addEventListener("click", (event) => {
  const range = event.target.closest("[data-chart-ranges] button");
  if (!range) return;
  press(range);
  const figure = range.closest("[data-chart]");
  chosenDays.set(figure.id, range.dataset.days);
  draw(figure);
});

document.addEventListener(
  "toggle",
  (event) => {
    const figure = event.target.matches?.("[data-chart-table]") && event.target.closest("[data-chart]");
    if (!figure) return;
    if (event.target.open) openTables.add(figure.id);
    else openTables.delete(figure.id);
    if (event.target.open && figure.builtTable) fillTable(figure, figure.builtTable);
  },
  true,
);

document.addEventListener("themechange", () => {
  for (const figure of live.keys()) draw(figure);
});
document.addEventListener("htmx:afterSettle", drawAll);
drawAll();

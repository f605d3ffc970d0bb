// The kinds of chart: fan (history and forecast), loss, line and bar. Each returns a Chart.js config, a legend and a table.

import { addDays, alpha, baseOptions, dayWriter, numberWriter } from "./chart_theme.js";

const BUILDERS = { fan: fanChart, loss: lossChart, line: lineChart, bar: barChart };
const TONES = {
  success: "success-solid", warning: "warning-solid", danger: "danger-solid",
  info: "info-solid", neutral: "neutral-solid", accent: "accent",
};

export function buildChart(kind, data, setting) {
  const build = BUILDERS[kind];
  if (!build) throw new Error(`Unknown kind of chart: ${kind}`);
  return build(data, setting);
}

const line = (label, values, color, more = {}) => ({
  label, data: values, borderColor: color, backgroundColor: color, borderWidth: 1.75,
  pointRadius: loneDots(values), pointHoverRadius: 4, tension: 0, spanGaps: false, ...more,
});

// A value between two gaps has no line to lie on: it gets a dot.
function loneDots(values) {
  return values.map((value, at) => {
    const before = values[at - 1] ?? null;
    const after = values[at + 1] ?? null;
    return value !== null && before === null && after === null ? 2 : 0;
  });
}

// ---- Fan: {history: {start, values, stockout}, forecast: {start, median, mean, bands: [{level, lower, upper}]}, unit}

function fanChart(data, setting) {
  const { theme: { colors }, words, lang, days } = setting;
  const frame = fanFrame(data, days);
  const datasets = [];
  const legend = [];
  frame.bands.forEach((band, position) => {
    const opacity = 0.14 + 0.1 * position;
    const label = words.band.replace("{level}", band.level);
    const fill = alpha(colors["chart-forecast"], opacity);
    const key = alpha(colors["chart-forecast"], opacity + 0.08 * position);
    const edge = { borderWidth: 0, pointRadius: 0, pointHoverRadius: 0, isBand: true, key };
    datasets.push(
      { ...edge, label, data: band.lower, upper: band.upper, order: 10 - position },
      { ...edge, label, data: band.upper, fill: "-1", backgroundColor: fill, hideTip: true, order: 10 - position },
    );
    legend.push({ label, kind: "area", color: key });
  });
  if (frame.mean) {
    datasets.push(line(words.mean, frame.mean, colors["chart-mean"], { borderDash: [2, 3], borderWidth: 1.5, order: 2 }));
    legend.unshift({ label: words.mean, kind: "line", color: colors["chart-mean"], dash: true });
  }
  if (frame.before) {
    datasets.push(line(words.before, frame.before, colors["chart-axis"], { borderDash: [6, 4], borderWidth: 1.5, order: 3 }));
    legend.unshift({ label: words.before, kind: "line", color: colors["chart-axis"], dash: true });
  }
  if (frame.median) {
    datasets.push(line(words.median, frame.median, colors["chart-forecast"], { borderWidth: 2, order: 1 }));
    legend.unshift({ label: words.median, kind: "line", color: colors["chart-forecast"] });
  }
  datasets.push(line(words.actual, frame.actual, colors["chart-actual"], { borderWidth: frame.labels.length > 200 ? 1 : 1.5, order: 0 }));
  legend.unshift({ label: words.actual, kind: "line", color: colors["chart-actual"] });
  if (frame.stockout.some(Boolean)) {
    legend.push({ label: words.stockout, kind: "area", color: alpha(colors["chart-stockout"], 0.25) });
  }
  const options = baseOptions(setting, { unit: data.unit });
  fanOptions(options, frame, data, setting);
  return {
    legend,
    table: fanTable(frame, data, setting),
    config: {
      type: "line",
      data: { labels: frame.labels, datasets },
      options,
      plugins: [shading(frame, setting)],
    },
  };
}

// Lay history and forecast on one row of days, the history cut to what is to be seen.
function fanFrame({ history, forecast }, days) {
  const cut = days && history.values.length > days ? history.values.length - days : 0;
  const shown = history.values.slice(cut);
  const start = addDays(history.start, cut);
  const horizon = forecast?.median?.length ?? forecast?.mean?.length ?? forecast?.bands?.[0]?.lower.length ?? 0;
  const offset = forecast ? Math.round((Date.parse(forecast.start) - Date.parse(start)) / 86400000) : 0;
  const length = Math.max(shown.length, horizon ? offset + horizon : 0);
  const blank = () => Array(length).fill(null);
  const place = (values, from) => {
    const row = blank();
    values.forEach((value, at) => { if (from + at >= 0) row[from + at] = value; });
    return row;
  };
  const ahead = (values) => (values ? place(values, offset) : null);
  const bands = [...(forecast?.bands ?? [])].sort((one, other) => other.level - one.level);
  return {
    labels: Array.from({ length }, (_, at) => addDays(start, at)),
    actual: place(shown, 0),
    stockout: place((history.stockout ?? []).slice(cut), 0),
    median: ahead(forecast?.median),
    mean: ahead(forecast?.mean),
    before: ahead(forecast?.before),
    bands: bands.map(({ level, lower, upper }) => ({ level, lower: ahead(lower), upper: ahead(upper) })),
    origin: horizon ? offset : -1,
  };
}

function fanOptions(options, frame, data, { words, lang }) {
  const short = dayWriter(lang, frame.labels.length > 200);
  const long = dayWriter(lang, true);
  const write = numberWriter(lang, data.unit);
  options.scales.x.ticks.callback = (_, at) => short(frame.labels[at]);
  const { tooltip } = options.plugins;
  tooltip.filter = (item) => !item.dataset.hideTip && item.parsed.y !== null && !Number.isNaN(item.parsed.y);
  tooltip.itemSort = (one, other) => one.dataset.order - other.dataset.order;
  tooltip.callbacks.title = ([item]) => (item ? long(frame.labels[item.dataIndex]) : "");
  tooltip.callbacks.label = (item) => {
    const { dataset, dataIndex } = item;
    if (!dataset.isBand) return `${dataset.label}: ${write(item.parsed.y)}`;
    const range = words.to.replace("{low}", write(dataset.data[dataIndex])).replace("{high}", write(dataset.upper[dataIndex]));
    return `${dataset.label}: ${range}`;
  };
  tooltip.callbacks.footer = ([item]) => (item && frame.stockout[item.dataIndex] ? words.stockout : "");
}

// Days without stock are shaded behind the lines; the origin is a dashed rule with its name.
function shading(frame, { theme: { colors, font }, words }) {
  return {
    id: "shading",
    beforeDatasetsDraw({ ctx, chartArea, scales: { x } }) {
      const half = frame.labels.length > 1 ? (x.getPixelForValue(1) - x.getPixelForValue(0)) / 2 : 8;
      ctx.save();
      ctx.beginPath();
      ctx.rect(chartArea.left, chartArea.top, chartArea.width, chartArea.height);
      ctx.clip();
      ctx.fillStyle = alpha(colors["chart-stockout"], 0.16);
      frame.stockout.forEach((out, at) => {
        if (out) ctx.fillRect(x.getPixelForValue(at) - half, chartArea.top, half * 2, chartArea.height);
      });
      if (frame.origin > 0) {
        const rule = x.getPixelForValue(frame.origin) - half;
        ctx.strokeStyle = colors["chart-axis"];
        ctx.lineWidth = 1;
        ctx.setLineDash([3, 3]);
        ctx.beginPath();
        ctx.moveTo(rule, chartArea.top);
        ctx.lineTo(rule, chartArea.bottom);
        ctx.stroke();
        ctx.fillStyle = colors["chart-axis"];
        ctx.font = `11px ${font}`;
        ctx.textBaseline = "top";
        const width = ctx.measureText(words.origin).width;
        const fits = rule + 6 + width < chartArea.right;
        ctx.fillText(words.origin, fits ? rule + 6 : rule - 6 - width, chartArea.top + 2);
      }
      ctx.restore();
    },
  };
}

function fanTable(frame, data, { words, lang }) {
  const write = numberWriter(lang);
  const writeDay = dayWriter(lang, true);
  const columns = [words.day, words.actual, words.stockout];
  if (frame.median) columns.push(words.median);
  if (frame.mean) columns.push(words.mean);
  if (frame.before) columns.push(words.before);
  for (const band of frame.bands) columns.push(words.band.replace("{level}", band.level));
  const row = (at) => {
    const cells = [writeDay(frame.labels[at]), write(frame.actual[at]), frame.stockout[at] ? words.yes : ""];
    if (frame.median) cells.push(write(frame.median[at]));
    if (frame.mean) cells.push(write(frame.mean[at]));
    if (frame.before) cells.push(write(frame.before[at]));
    for (const band of frame.bands) {
      const [low, high] = [band.lower[at], band.upper[at]];
      cells.push(low === null ? "–" : words.to.replace("{low}", write(low)).replace("{high}", write(high)));
    }
    return cells;
  };
  return { columns, rows: () => frame.labels.map((_, at) => row(at)).reverse() };
}

// ---- Loss: {epochs, train, validation, best_epoch}

function lossChart(data, setting) {
  const { theme: { colors }, words } = setting;
  const series = [
    { label: words.train, values: data.train, color: colors["chart-5"] },
    { label: words.validation, values: data.validation, color: colors["chart-1"] },
  ].filter(({ values }) => values?.length);
  const best = data.epochs.indexOf(data.best_epoch);
  const options = baseOptions(setting, { beginAtZero: false });
  options.plugins.tooltip.callbacks.title = ([item]) => (item ? `${words.epoch} ${item.label}` : "");
  const datasets = series.map(({ label, values, color }) => line(label, values, color));
  const legend = series.map(({ label, color }) => ({ label, kind: "line", color }));
  if (best >= 0 && data.validation?.length) {
    const dots = data.epochs.map((_, at) => (at === best ? data.validation[at] : null));
    datasets.push({ ...line(words.best, dots, colors["success-solid"]), showLine: false, pointRadius: 5 });
    legend.push({ label: `${words.best}: ${data.best_epoch}`, kind: "area", color: colors["success-solid"] });
  }
  options.plugins.tooltip.filter = (item) => item.datasetIndex < series.length;
  return { legend, table: plainTable(words.epoch, data.epochs, series, setting), config: { type: "line", data: { labels: data.epochs, datasets }, options } };
}

// ---- Line and bar: {labels, series: [{label, values, tone, dashed}], unit, stacked, horizontal}

function colorOf(tone, position, colors) {
  return colors[TONES[tone]] ?? colors[`chart-${(position % 5) + 1}`];
}

function named(data, setting) {
  const { theme: { colors } } = setting;
  return data.series.map((one, position) => ({ ...one, color: colorOf(one.tone, position, colors) }));
}

const ISO_DAY = /^\d{4}-\d{2}-\d{2}$/;

function readableLabels(labels, lang) {
  const write = dayWriter(lang, labels.length > 200);
  return labels.map((label) => (ISO_DAY.test(label) ? write(label) : label));
}

function lineChart(data, setting) {
  const series = named(data, setting);
  const labels = readableLabels(data.labels, setting.lang);
  const datasets = series.map(({ label, values, color, dashed }) => line(label, values, color, dashed ? { borderDash: [5, 4] } : {}));
  return {
    legend: series.map(({ label, color, dashed }) => ({ label, kind: "line", color, dash: dashed })),
    table: plainTable("", labels, series, setting),
    config: { type: "line", data: { labels, datasets }, options: baseOptions(setting, { unit: data.unit }) },
  };
}

function barChart(data, setting) {
  const series = named(data, setting);
  const labels = readableLabels(data.labels, setting.lang);
  const options = baseOptions(setting, { unit: data.unit, horizontal: data.horizontal });
  if (data.stacked) for (const axis of Object.values(options.scales)) axis.stacked = true;
  const datasets = series.map(({ label, values, color }) => ({
    label, data: values, backgroundColor: color, borderRadius: 3, maxBarThickness: 32, categoryPercentage: 0.7,
  }));
  return {
    legend: series.length > 1 ? series.map(({ label, color }) => ({ label, kind: "area", color })) : [],
    table: plainTable("", labels, series, setting),
    config: { type: "bar", data: { labels, datasets }, options },
  };
}

function plainTable(first, labels, series, { lang }) {
  const write = numberWriter(lang);
  return {
    columns: [first, ...series.map(({ label }) => label)],
    rows: () => labels.map((label, at) => [label, ...series.map(({ values }) => write(values[at]))]),
  };
}

// Colours and numbers of the charts, read from the design tokens in the theme of the moment.

const NAMES = [
  "ink", "ink-soft", "ink-muted", "line", "surface", "surface-raised", "accent",
  "success-solid", "warning-solid", "danger-solid", "info-solid", "neutral-solid",
  "chart-actual", "chart-forecast", "chart-mean", "chart-grid", "chart-axis", "chart-stockout",
  "chart-1", "chart-2", "chart-3", "chart-4", "chart-5",
];

export function readTheme() {
  // A custom property keeps light-dark() unresolved; a real colour property resolves it.
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const colors = {};
  for (const name of NAMES) {
    probe.style.color = `var(--${name})`;
    colors[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return { colors, font: getComputedStyle(document.body).fontFamily };
}

export function alpha(color, opacity) {
  const [red, green, blue] = color.match(/[\d.]+/g);
  return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
}

export function numberWriter(lang, unit = "") {
  const small = new Intl.NumberFormat(lang, { maximumFractionDigits: 2 });
  const large = new Intl.NumberFormat(lang, { maximumFractionDigits: 0 });
  return (value) => {
    if (value === null || value === undefined) return "–";
    const text = (Math.abs(value) < 100 ? small : large).format(value);
    return unit ? `${text}\u00a0${unit}` : text;
  };
}

export function axisWriter(lang) {
  const writer = new Intl.NumberFormat(lang, { notation: "compact", maximumFractionDigits: 1 });
  // Below 1 a tick needs two digits of its own, or neighbours read the same.
  const fine = new Intl.NumberFormat(lang, { maximumSignificantDigits: 2 });
  // 12.4k, as everywhere on the pages.
  return (value) => (Math.abs(value) < 1 ? fine : writer).format(value).replace("K", "k");
}

export function dayWriter(lang, withYear) {
  // Plain English writes days as the pages do: 23 Nov 2026.
  const locale = lang === "en" ? "en-GB" : lang;
  // Days are dates without a time zone: they are read and written as UTC.
  const writer = new Intl.DateTimeFormat(locale, {
    day: "numeric", month: "short", year: withYear ? "numeric" : undefined, timeZone: "UTC",
  });
  return (iso) => writer.format(new Date(`${iso}T00:00:00Z`));
}

export function addDays(iso, days) {
  const date = new Date(`${iso}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

export function baseOptions({ theme, lang }, { unit = "", beginAtZero = true, horizontal = false } = {}) {
  const { colors, font } = theme;
  const write = numberWriter(lang, unit);
  const text = { family: font, size: 12 };
  const values = {
    beginAtZero,
    border: { display: false },
    grid: { color: colors["chart-grid"], drawTicks: false },
    ticks: { color: colors["chart-axis"], font: text, padding: 8, maxTicksLimit: 6, callback: axisWriter(lang) },
    title: { display: Boolean(unit), text: unit, color: colors["chart-axis"], font: text },
  };
  const categories = {
    border: { color: colors.line },
    grid: { display: false },
    ticks: { color: colors["chart-axis"], font: text, maxRotation: 0, autoSkipPadding: horizontal ? 2 : 16 },
  };
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    normalized: true,
    locale: lang,
    indexAxis: horizontal ? "y" : "x",
    interaction: { mode: "index", intersect: false, axis: horizontal ? "y" : "x" },
    scales: horizontal ? { x: values, y: categories } : { x: categories, y: values },
    plugins: {
      legend: { display: false },
      tooltip: {
        backgroundColor: colors["surface-raised"],
        borderColor: colors.line,
        borderWidth: 1,
        titleColor: colors.ink,
        bodyColor: colors["ink-soft"],
        titleFont: { family: font, size: 12, weight: 600 },
        bodyFont: text,
        padding: 10,
        cornerRadius: 6,
        multiKeyBackground: "transparent",
        boxWidth: 8,
        boxHeight: 8,
        boxPadding: 4,
        callbacks: {
          labelColor: ({ dataset }) => {
            const color = dataset.key ?? dataset.borderColor ?? dataset.backgroundColor;
            return { backgroundColor: color, borderColor: color, borderWidth: 0, borderRadius: 2 };
          },
          label: (item) => `${item.dataset.label}: ${write(horizontal ? item.parsed.x : item.parsed.y)}`,
        },
      },
    },
  };
}

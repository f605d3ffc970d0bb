"""Curves of fill rate against stock, as an SVG."""

from collections.abc import Mapping, Sequence

from forecasting.decisions.simulation import SimulationResult

WIDTH, HEIGHT, EDGE = 720, 420, 60
LOWEST_FILL = 0.6
COLOURS = ("#0b6e4f", "#c44536", "#e08e45", "#8d6a9f", "#777", "#111")


def draw_curves(
    curves: Mapping[str, Sequence[SimulationResult]], main_curve: str, title: str
) -> str:
    """Return the picture: fill rate up, mean stock value to the right."""
    points = {
        name: [(one.total_stock_value, one.fill_rate) for one in results]
        for name, results in curves.items()
    }
    most = 1.4 * max(stock for stock, fill in points[main_curve] if fill <= 0.97)

    def at(stock: float, fill: float) -> tuple[float, float]:
        x = EDGE + stock / most * (WIDTH - 2 * EDGE)
        y = HEIGHT - EDGE - (fill - LOWEST_FILL) / (1 - LOWEST_FILL) * (HEIGHT - 2 * EDGE)
        return round(x, 1), round(y, 1)

    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(EDGE, 24, title),
        _text(WIDTH / 2 - 60, HEIGHT - 16, "mean stock value"),
    ]
    for fill in (0.6, 0.7, 0.8, 0.9, 1.0):
        (left, y), (right, _) = at(0, fill), at(most, fill)
        parts.append(f'<line x1="{left}" y1="{y}" x2="{right}" y2="{y}" stroke="#ddd"/>')
        parts.append(_text(left - 40, y + 4, f"{fill:.0%}"))
    for share in (0, 0.25, 0.5, 0.75, 1.0):
        x, y = at(most * share, LOWEST_FILL)
        parts.append(_text(x - 15, y + 18, f"{most * share:,.0f}"))
    for k, (name, own) in enumerate(points.items()):
        inside = [at(*one) for one in own if one[0] <= most and one[1] >= LOWEST_FILL]
        colour = COLOURS[k % len(COLOURS)]
        line = " ".join(f"{x},{y}" for x, y in inside)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in inside]
        parts.append(_text(WIDTH - 190, HEIGHT - EDGE - 110 + 18 * k, name, colour))
    return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, words: str, colour: str = "#333") -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}">{words}</text>'

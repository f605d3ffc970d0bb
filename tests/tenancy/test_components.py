"""The components: what the tags render, what they refuse, and that every icon named exists."""

import json
import re
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from django import forms
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory

from tenancy.templatetags.charts import plain_json
from tenancy.templatetags.sparklines import MOST_POINTS, spark_paths
from tenancy.templatetags.ui import ICON_NAMES
from tests.architecture.source import files


def render(source: str, request: HttpRequest | None = None, **context: object) -> str:
    """Render a template with the tags loaded."""
    return Template("{% load i18n ui %}" + source).render(Context({"request": request, **context}))


class WeightForm(forms.Form):
    weight = forms.DecimalField(widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    note = forms.CharField(required=False, help_text="At most a line.")
    mode = forms.ChoiceField(
        widget=forms.RadioSelect, choices=[("all", "All"), ("skip", "Skip")], required=False
    )


def test_every_icon_a_template_names_is_in_the_sprite() -> None:
    named = {
        name
        for path in files("templates/**/*.html")
        for pair in re.findall(r'{% icon "([\w-]+)"|icon_name="([\w-]+)"', path.read_text())
        for name in pair
        if name
    }
    in_menu = {
        name
        for path in files("templates/components/*.html")
        for name in re.findall(r'{% nav_item .*?\) "([\w-]+)"', path.read_text())
    }

    assert named
    assert in_menu
    assert named | in_menu <= ICON_NAMES


def test_an_unknown_icon_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match="no-such-icon"):
        render('{% icon "no-such-icon" %}')


@pytest.mark.parametrize(
    "path", ["unfold/js/chart/chart.js", "django_htmx/htmx-2.min.js", "icons.svg", "js/charts.js"]
)
def test_the_files_pages_rely_on_are_found(path: str) -> None:
    assert finders.find(path)


def test_a_badge_says_its_status_in_text_and_icon() -> None:
    html = render('{% badge "Late" "warning" %}')

    assert "badge-warning" in html
    assert "#alert" in html
    assert "Late" in html


def test_a_badge_of_an_unknown_tone_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match="purple"):
        render('{% badge "Late" "purple" %}')


def test_markup_in_data_stays_text() -> None:
    name = "<script>alert(1)</script>"
    html = render(
        "{% badge name %}{% stat name name %}{% card title=name %}{{ name }}{% endcard %}"
        '{% alert "info" title=name %}{{ name }}{% endalert %}{% empty title=name %}{% endempty %}',
        name=name,
    )

    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 8


def test_the_actions_of_a_card_do_not_reach_the_next_card() -> None:
    html = render(
        "{% card title='One' %}{% card_actions %}<i>act</i>{% endcard_actions %}a{% endcard %}"
        "{% card title='Two' %}b{% endcard %}"
    )
    first, second = html.split("Two")

    assert "<i>act</i>" in first
    assert "<i>act</i>" not in second


def test_a_refused_field_names_its_error_to_screen_readers() -> None:
    form = WeightForm({"weight": "1,5 kg", "note": ""})
    html = render("{% form_errors form %}{% field form.weight unit='kg' %}", form=form)

    assert 'href="#id_weight"' in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_weight_error"' in html
    assert 'id="id_weight_error"' in html
    assert 'value="1,5 kg"' in html


def test_help_is_tied_to_its_field() -> None:
    html = render("{% field form.note %}", form=WeightForm())

    assert 'aria-describedby="id_note_helptext"' in html
    assert 'id="id_note_helptext"' in html


def test_radio_cards_explain_each_choice() -> None:
    html = render(
        "{% field form.mode descriptions=texts %}", form=WeightForm(), texts={"skip": "Why"}
    )

    assert html.count('type="radio"') == 2
    assert html.count("radio-card-text") == 1
    assert "Why" in html


def test_each_rendered_form_has_a_key_of_its_own() -> None:
    first, second = render("{% idempotency_key %} {% idempotency_key %}").split(" <")

    assert first != f"<{second}"


def test_a_misspelt_option_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match="units"):
        render("{% field form.note units='kg' %}", form=WeightForm())
    with pytest.raises(TemplateSyntaxError, match="detla"):
        render("{% stat 'On hand' 3 detla='+1' %}")


def test_a_sort_link_turns_around_and_starts_from_the_first_page() -> None:
    request = RequestFactory().get("/?sort=name&cursor=abc&q=milk")
    html = render('{% sort_header "name" "Product" %}', request)

    assert 'aria-sort="ascending"' in html
    assert "sort=-name" in html
    assert "q=milk" in html
    assert "cursor" not in html


def test_the_default_order_is_marked_without_a_query() -> None:
    html = render('{% sort_header "name" "Product" %}', RequestFactory().get("/"), sort="-name")

    assert 'aria-sort="descending"' in html


def test_pages_link_forward_by_cursor_and_keep_the_filters() -> None:
    source = '{% include "components/pagination.html" with next_cursor="xyz" shown=50 %}'
    html = render(source, RequestFactory().get("/?q=milk"))

    assert "q=milk" in html
    assert "cursor=xyz" in html
    assert 'rel="first"' not in html


def test_a_menu_entry_without_a_route_is_not_shown() -> None:
    assert "<a" not in render('{% nav_item "x" "nowhere:at_all" "Nowhere" "box" %}')


def test_a_menu_entry_marks_where_one_is() -> None:
    html = render('{% nav_item "home" "home" "Home" "home" %}', nav_section="home")

    assert 'aria-current="page"' in html


def test_chart_data_become_plain_json_with_gaps() -> None:
    data = {
        "start": date(2026, 11, 23),
        "values": np.array([1.5, np.nan, np.inf]),
        "price": Decimal("2.50"),
        "observed": np.array([True, False]),
        "count": np.int64(3),
    }

    assert plain_json(data) == {
        "start": "2026-11-23",
        "values": [1.5, None, None],
        "price": 2.5,
        "observed": [True, False],
        "count": 3,
    }


def test_a_chart_carries_its_data_outside_any_script() -> None:
    series = [{"label": "</script><b>", "values": [1.0, float("nan")]}]
    html = render(
        "{% chart 'line' data label='Demand' id='d' %}",
        data={"labels": ["a", "b"], "series": series},
    )
    found = re.search(r'<script id="d-data" type="application/json">(.*?)</script>', html)

    assert found
    assert json.loads(found.group(1))["series"][0]["values"] == [1.0, None]
    assert "<b>" not in html


def test_a_chart_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match="pie"):
        render("{% chart 'pie' data label='x' %}", data={})


def test_a_sparkline_breaks_where_nothing_is_known() -> None:
    paths = spark_paths([1.0, 2.0, None, 4.0, float("nan"), 3.0, 2.0])

    assert paths
    assert paths.line.count("M") == 3


def test_a_sparkline_of_nothing_is_not_drawn() -> None:
    assert spark_paths([]) is None
    assert spark_paths([None, float("nan")]) is None
    assert render("{% sparkline values %}", values=None) == ""


def test_a_flat_or_single_value_is_drawn() -> None:
    flat = spark_paths([3.0, 3.0, 3.0])
    single = spark_paths([3.0])

    assert flat
    assert single
    assert single.line.count("L") == 1


def test_a_long_series_is_thinned() -> None:
    paths = spark_paths([float(day % 7) for day in range(730)])

    assert paths
    assert paths.line.count("L") < MOST_POINTS

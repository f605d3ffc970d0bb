"""Every form refuses a decimal comma with the same remedy; none guesses what it meant."""

from __future__ import annotations

from importlib import import_module

import pytest
from django import forms

from forecasting.pages.training_forms import TrainingChoicesForm
from inventory.pages.fields import float_field, number_field, quantity_field

REMEDY = "Enter a number, with a point: 12.5."


def forms_of_pages(base: type[forms.Form] = forms.Form) -> list[type[forms.Form]]:
    import_module("config.urls")  # brings every page
    found: list[type[forms.Form]] = []
    for child in base.__subclasses__():
        found += [child, *forms_of_pages(child)]
    return [one for one in found if ".pages." in one.__module__]


def test_every_field_of_a_number_with_a_fraction_says_how_one_is_written() -> None:
    known = {
        f"{form.__module__}.{form.__name__}.{name}": str(field.error_messages["invalid"])
        for form in forms_of_pages()
        for name, field in form.base_fields.items()
        if isinstance(field, forms.DecimalField | forms.FloatField)
    }
    known = {name: told for name, told in known.items() if not name.startswith("tenancy.")}
    assert len(known) > 20
    assert [name for name, told in known.items() if told != REMEDY] == []


@pytest.mark.parametrize("text", ["2,5", "1,234", "1.234,5", "two", "nan"])
@pytest.mark.parametrize("make", [number_field, float_field, quantity_field])
def test_a_comma_is_refused_with_the_remedy_and_a_point_is_read(make, text: str) -> None:
    with pytest.raises(forms.ValidationError) as refused:
        make("Value").clean(text)
    assert refused.value.messages == [REMEDY]
    assert float(make("Value").clean("2.5")) == 2.5


def test_the_choices_of_a_training_refuse_a_comma_at_their_field() -> None:
    form = TrainingChoicesForm({"outlier_threshold": "2,5"})
    assert form.errors["outlier_threshold"] == [REMEDY]
    assert "outlier_threshold" not in TrainingChoicesForm({"outlier_threshold": "2.5"}).errors

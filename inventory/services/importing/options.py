"""What a person chooses before an import runs; stored with the file, carried by the job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, cast

from inventory.rules.importing.columns import FIELDS, mapping_by_header, required_fields
from inventory.rules.importing.sales import CHARGE_CODES, HAS_A_DIGIT, GoodsRule
from inventory.rules.importing.values import Conventions, DateOrder, DecimalMark
from inventory.services.importing.errors import ImportRefused
from inventory.services.importing.reading import Table


@dataclass(frozen=True)
class ImportOptions:
    """Empty texts mean: find out from the file. ``mapping`` is field -> column."""

    mapping: dict[str, str] = field(default_factory=dict)
    skip_bad_rows: bool = False
    date_format: str = ""
    decimal_mark: str = ""
    warehouse: str = ""
    channel: str = ""
    segment: str = ""
    create_products: bool = True
    create_places: bool = True
    goods_pattern: str = HAS_A_DIGIT
    more_charge_codes: tuple[str, ...] = ()
    cancellation_prefix: str = "C"
    cancel_same_price_only: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ImportOptions:
        """Read options as ``as_json`` wrote them; what is unknown is ignored."""
        known = {f.name for f in fields(cls)}
        chosen = {name: value for name, value in data.items() if name in known}
        chosen["more_charge_codes"] = tuple(chosen.get("more_charge_codes", ()))
        return cls(**chosen)

    def as_json(self) -> dict[str, Any]:
        """Return the options as plain JSON."""
        return asdict(self) | {"more_charge_codes": list(self.more_charge_codes)}

    def goods_rule(self) -> GoodsRule:
        """Return the rule that tells goods from charges; raise ``ImportRefused``."""
        try:
            re.compile(self.goods_pattern)
        except re.error as error:
            raise ImportRefused("bad_pattern", pattern=self.goods_pattern, why=error) from error
        more = {code.strip().upper() for code in self.more_charge_codes}
        return GoodsRule(self.goods_pattern, CHARGE_CODES | more)

    def conventions(self, mark: DecimalMark, order: DateOrder) -> Conventions:
        """Return how numbers and dates are written: as chosen, else as found out."""
        chosen_mark = (
            cast("DecimalMark", self.decimal_mark) if self.decimal_mark in {".", ","} else mark
        )
        if "%" in self.date_format:
            return Conventions(chosen_mark, order, self.date_format)
        chosen_order = cast("DateOrder", self.date_format) if self.date_format else order
        return Conventions(chosen_mark, chosen_order)

    def check_date_format(self) -> None:
        """Refuse a date format that is neither an order nor a pattern that can be read back."""
        if self.date_format in {"", "dmy", "mdy"}:
            return
        moment = datetime(2011, 12, 9)  # noqa: DTZ001  only to try the pattern
        try:
            again = datetime.strptime(moment.strftime(self.date_format), self.date_format)  # noqa: DTZ007
        except ValueError:
            again = None
        if again is None or again.date() != moment.date():
            raise ImportRefused("bad_date_format", format=self.date_format)


def resolve_columns(kind: str, table: Table, options: ImportOptions) -> dict[str, int]:
    """Return field -> position. Chosen columns win over detected ones; an empty choice means none.

    Raises ``ImportRefused`` naming what is missing and what was found.
    """
    known = {f.name for f in FIELDS[kind]}
    position = {name: i for i, name in enumerate(table.header)}
    unknown = [
        f"{name}={column}"
        for name, column in options.mapping.items()
        if name not in known or (column and column not in position)
    ]
    if unknown:
        raise ImportRefused("unknown_mapping", unknown=", ".join(unknown))
    taken = set(options.mapping.values())
    mapping = {
        name: column
        for name, column in mapping_by_header(kind, table.header).items()
        if name not in options.mapping and column not in taken
    } | {name: column for name, column in options.mapping.items() if column}
    columns = list(mapping.values())
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ImportRefused("mapped_twice", columns=", ".join(twice))
    missing = [name for name in required_fields(kind) if name not in mapping]
    if missing:
        found = ", ".join(name or "(no name)" for name in table.header)
        raise ImportRefused("missing_columns", missing=", ".join(missing), found=found[:500])
    return {name: position[column] for name, column in mapping.items()}

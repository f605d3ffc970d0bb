"""The report room: every report by name. Each is one declaration in a file of its own."""

from inventory.queries.reports import (
    abc_xyz,
    ageing,
    expiry,
    inbound,
    movements,
    outbound,
    shrinkage,
    stock_on_hand,
    turnover,
    valuation,
)
from inventory.queries.reports.declaring import Report

REPORTS: dict[str, Report] = {
    module.REPORT.name: module.REPORT
    for module in (
        stock_on_hand,
        valuation,
        ageing,
        expiry,
        movements,
        turnover,
        abc_xyz,
        shrinkage,
        inbound,
        outbound,
    )
}

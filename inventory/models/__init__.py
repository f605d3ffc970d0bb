"""Warehouse tables, one file per subject."""

from inventory.models.catalog import (
    Barcode,
    Category,
    Lot,
    LotStatus,
    LotTracking,
    Packaging,
    Product,
)
from inventory.models.demand import DailyDemand, ImportedFile, ImportedSale
from inventory.models.ledger import DocumentNumber, MovementReason, StockBalance, StockMovement
from inventory.models.places import (
    OUTSIDE_KINDS,
    PROMISABLE_KINDS,
    Location,
    LocationKind,
    Warehouse,
    Zone,
)
from inventory.models.policy import StockPolicy
from inventory.models.purchasing import (
    LeadTimeObservation,
    PriceBreak,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
    SupplierItem,
)
from inventory.models.sales import Channel, ChannelKind, Customer, CustomerSegment

__all__ = [
    "OUTSIDE_KINDS",
    "PROMISABLE_KINDS",
    "Barcode",
    "Category",
    "Channel",
    "ChannelKind",
    "Customer",
    "CustomerSegment",
    "DailyDemand",
    "DocumentNumber",
    "ImportedFile",
    "ImportedSale",
    "LeadTimeObservation",
    "Location",
    "LocationKind",
    "Lot",
    "LotStatus",
    "LotTracking",
    "MovementReason",
    "Packaging",
    "PriceBreak",
    "Product",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "PurchaseOrderState",
    "StockBalance",
    "StockMovement",
    "StockPolicy",
    "Supplier",
    "SupplierItem",
    "Warehouse",
    "Zone",
]

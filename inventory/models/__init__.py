"""Warehouse tables, one file per subject."""

from inventory.models.allocation import (
    Allocation,
    AllocationState,
    ChannelStock,
)
from inventory.models.catalog import (
    Barcode,
    Category,
    Lot,
    LotStatus,
    LotTracking,
    Packaging,
    Product,
)
from inventory.models.counting import (
    CountLine,
    CountReason,
    CountState,
    CycleCount,
)
from inventory.models.demand import (
    DailyDemand,
    ImportedFile,
    ImportedSale,
)
from inventory.models.ledger import (
    DocumentKind,
    DocumentNumber,
    MovementReason,
    StockBalance,
    StockMovement,
)
from inventory.models.periods import PeriodClosing, StockSnapshot, ValueSnapshot
from inventory.models.picking import (
    PickState,
    PickTask,
    ShortReason,
    Wave,
    WaveKind,
    WaveState,
)
from inventory.models.places import (
    OUTSIDE_KINDS,
    PROMISABLE_KINDS,
    Location,
    LocationKind,
    MixingRule,
    Warehouse,
    Zone,
)
from inventory.models.policy import (
    AbcClass,
    PolicyTarget,
    StockPolicy,
    XyzClass,
)
from inventory.models.purchasing import (
    LeadTimeObservation,
    PriceBreak,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
    Supplier,
    SupplierItem,
    TransportMode,
)
from inventory.models.put_away import (
    PutAwayRule,
)
from inventory.models.receiving import (
    DifferenceReason,
    Receipt,
    ReceiptLine,
    ReceiptState,
)
from inventory.models.returns import (
    CustomerReturn,
    CustomerReturnLine,
    CustomerReturnState,
    ReturnOutcome,
    SupplierReturn,
    SupplierReturnLine,
    SupplierReturnState,
)
from inventory.models.sales import (
    Channel,
    ChannelKind,
    Customer,
    CustomerSegment,
    SalesOrder,
    SalesOrderLine,
    SalesOrderState,
)
from inventory.models.settings import (
    InventorySettings,
    ValuationMethod,
)
from inventory.models.shipping import (
    Package,
    PackageLine,
    PackageState,
    Shipment,
    ShipmentLine,
)
from inventory.models.transfers import (
    TransferLine,
    TransferOrder,
    TransferPiece,
    TransferState,
)
from inventory.models.valuation import (
    CostLayer,
    StockValue,
    ValueEntry,
    ValueEntryKind,
)
from inventory.models.worklists import (
    WarehouseAccess,
    WorkClaim,
    WorkKind,
)

__all__ = [
    "OUTSIDE_KINDS",
    "PROMISABLE_KINDS",
    "AbcClass",
    "Allocation",
    "AllocationState",
    "Barcode",
    "Category",
    "Channel",
    "ChannelKind",
    "ChannelStock",
    "CostLayer",
    "CountLine",
    "CountReason",
    "CountState",
    "Customer",
    "CustomerReturn",
    "CustomerReturnLine",
    "CustomerReturnState",
    "CustomerSegment",
    "CycleCount",
    "DailyDemand",
    "DifferenceReason",
    "DocumentKind",
    "DocumentNumber",
    "ImportedFile",
    "ImportedSale",
    "InventorySettings",
    "LeadTimeObservation",
    "Location",
    "LocationKind",
    "Lot",
    "LotStatus",
    "LotTracking",
    "MixingRule",
    "MovementReason",
    "Package",
    "PackageLine",
    "PackageState",
    "Packaging",
    "PeriodClosing",
    "PickState",
    "PickTask",
    "PolicyTarget",
    "PriceBreak",
    "Product",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "PurchaseOrderState",
    "PutAwayRule",
    "Receipt",
    "ReceiptLine",
    "ReceiptState",
    "ReturnOutcome",
    "SalesOrder",
    "SalesOrderLine",
    "SalesOrderState",
    "Shipment",
    "ShipmentLine",
    "ShortReason",
    "StockBalance",
    "StockMovement",
    "StockPolicy",
    "StockSnapshot",
    "StockValue",
    "Supplier",
    "SupplierItem",
    "SupplierReturn",
    "SupplierReturnLine",
    "SupplierReturnState",
    "TransferLine",
    "TransferOrder",
    "TransferPiece",
    "TransferState",
    "TransportMode",
    "ValuationMethod",
    "ValueEntry",
    "ValueEntryKind",
    "ValueSnapshot",
    "Warehouse",
    "WarehouseAccess",
    "Wave",
    "WaveKind",
    "WaveState",
    "WorkClaim",
    "WorkKind",
    "XyzClass",
    "Zone",
]

"""From forecasts to what people do next. Pure: arrays and plain values in and out.

Read in this order: demand_paths, lead_times, lead_time_demand, safety_stock, reorder_inputs,
reorder_reasons, reorder_checks, order_quantity, reorder, budget, risk, sales_risk, suppliers,
channels, projected_need, simulation, policies.
"""

"""From forecasts to what people do next. Pure: arrays and plain values in and out."""

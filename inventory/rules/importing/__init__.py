"""What an imported table means: columns, values, sales lines. Pure: text in, values out."""

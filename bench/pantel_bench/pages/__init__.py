"""What report pages are made of: figures, tables, plots, pairs of pictures and videos."""

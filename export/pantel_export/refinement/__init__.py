"""The refinement context: what is probable of cells of which the receiver holds a coarser version."""

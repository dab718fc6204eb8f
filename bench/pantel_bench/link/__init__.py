"""The link benchmark: packets cross simulated lines, and what arrives whole is compared with their capacity."""

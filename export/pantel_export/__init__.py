"""The workshop: training, quantization, table fitting and export of the shipped models."""

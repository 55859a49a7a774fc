"""What happens without anybody asking: sweeps by the clock, and the delivery loop beside them."""

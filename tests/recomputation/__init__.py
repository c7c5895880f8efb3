"""An independent recomputation of the register-based indicators, from the raw deliveries alone."""

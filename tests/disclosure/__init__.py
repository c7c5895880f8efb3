"""Statistical confidentiality: cases, properties, planted leaks."""

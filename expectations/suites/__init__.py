"""Great Expectations suites: built from the catalogue, never typed by hand, run on pandas."""

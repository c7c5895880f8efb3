"""What a worker process imports first.

Its main module has no file, so DuckDB would take it for a notebook and draw progress bars on standard output, where a
program expects JSON. With a file it is taken for a program.
"""

import sys

sys.modules["__main__"].__file__ = __file__

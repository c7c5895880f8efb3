"""The one place where indicators, measures, official tables and published tables are declared.

Everything is YAML below this folder; `load_catalogue()` reads, resolves and proves it.
Nothing else in the project may define an indicator, a range, a series break or a label.
"""

from expectations.catalogue.load import CatalogueError, load_catalogue
from expectations.catalogue.model import Catalogue

__all__ = ["Catalogue", "CatalogueError", "load_catalogue"]

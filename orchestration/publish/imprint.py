"""What every file says of a release as a whole.

Belongs here: whose it is, of when, for whom, under which licence. Does not belong here: figures.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from orchestration.settings import Audience, Publishing, Settings

LICENCE_NAME = "dl-de/by-2-0"
LICENCE_URL = "https://www.govdata.de/dl-de/by-2-0"
ATTRIBUTION = "© Statistische Ämter des Bundes und der Länder, Deutschland, dl-de/by-2-0"
INTERNAL = "INTERN – nur für die Statistikstelle, nicht weitergeben / INTERNAL – statistics office only, do not pass on"
SYNTHETIC = "SYNTHETISCHE DATEN – keine amtliche Statistik / SYNTHETIC DATA – not official statistics"


@dataclass(frozen=True)
class Imprint:
    """`code` and `city`: the municipality's key and name; `synthetic`: figures are invented; `audience`: who may read it."""

    created: dt.datetime
    code: str
    city: str
    synthetic: bool
    audience: Audience
    publishing: Publishing

    @classmethod
    def of(cls, settings: Settings, moment: dt.datetime, synthetic: bool, audience: Audience) -> Imprint:
        """The imprint of a release of this city. An internal one has no address: nobody finds it by a link."""
        publishing, city = settings.publication, settings.municipality
        if audience == "internal":
            publishing = publishing.model_copy(update={"base_url": None})
        return cls(moment, city.code, city.name, synthetic, audience, publishing)

    @property
    def is_internal(self) -> bool:
        return self.audience == "internal"

    @property
    def notice(self) -> str | None:
        """What must stand beside the figures, if anything."""
        found = [text for text, holds in ((INTERNAL, self.is_internal), (SYNTHETIC, self.synthetic)) if holds]
        return " · ".join(found) or None

    @property
    def licence_name(self) -> str | None:
        """None where nothing may be passed on."""
        return None if self.is_internal else LICENCE_NAME

    @property
    def licence(self) -> str:
        """The licence as a line for readers."""
        return "–" if self.is_internal else f"{LICENCE_NAME} ({LICENCE_URL})"

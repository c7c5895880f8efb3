"""Tables of the Bundesagentur für Arbeit over the network, for the city and its Land.

The service wants its own name of a region, so its list of names is asked first and the region is
found there by its key. Does not belong here: reading a reply (genesis/agency.py).
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from typing import Any

from orchestration.collect.http import Budget, Limits, SourceError, Transport, UncertainError
from orchestration.collect.landing import Delivery, Landing, Reception
from orchestration.settings import AgencyTable, EmploymentAgency, Municipality

LOG = logging.getLogger("bildungsmonitor")


def collect_from_agency(
    source: EmploymentAgency, city: Municipality, landing: Landing, moment: dt.datetime
) -> list[Reception]:
    """Ask for every configured table and land what comes; what does not come is `late`."""
    budget = Budget(source.budget_minutes * 60)
    transport = Transport(source.base_url, Limits(), budget)
    receptions = []
    try:
        names = _names(source, transport) if any(t.region for t in source.tables) else {}
        for table in source.tables:
            reception = _one(table, names, city, transport, landing, moment)
            receptions.append(reception)
    except SourceError as error:
        asked = {r.table_code for r in receptions}
        late = [t for t in source.tables if t.name not in asked]
        receptions += [Reception(t.name, "late", t.name, reason=str(error)) for t in late]
    finally:
        transport.close()
    for reception in receptions:
        if reception.reason:
            LOG.warning("collect | %s %s: %s", reception.table_code, reception.status, reception.reason)
    return receptions


def _one(
    table: AgencyTable,
    names: dict[str, str],
    city: Municipality,
    transport: Transport,
    landing: Landing,
    moment: dt.datetime,
) -> Reception:
    key = "DG"
    params: dict[str, str] = {}
    if table.region is not None:
        key = city.code if table.region.startswith("Kreis") else city.state_code
        if key not in names:
            reason = f"{transport.host}: its list of names holds no region {key}"
            return Reception(table.name, "late", table.name, reason=reason)
        params[table.region] = names[key]
    try:
        received = transport.attempt(
            lambda: transport.send("GET", f"ct/v1/tableFetch/csv/{table.name}", params=params),
            again=UncertainError,
        )
    except SourceError as error:
        return Reception(table.name, "late", table.name, reason=str(error))
    if received.status != 200:
        reason = f"{transport.host}: HTTP {received.status} for {table.name}"
        return Reception(table.name, "late", table.name, reason=reason)
    for name in params.values():
        # The service answers for Germany if it does not know the parameter: the reply must name it.
        if not re.search(rf"^[^:;\n]+:; ?{re.escape(name)};*\s*$", _text(received.body), re.MULTILINE):
            reason = f"{transport.host}: the reply for {table.name} does not name the region {name}"
            return Reception(table.name, "late", table.name, reason=reason)
    origin = {
        "kind": "employment_agency",
        "address": f"{transport.base_url}ct/v1/tableFetch/csv/{table.name}",
        "parameters": params,
        "retrieved_at": received.at.isoformat(),
    }
    suffix = "" if key == "DG" else f"_{key}"
    delivery = Delivery(f"{table.name}{suffix}.csv", lambda: received.body, origin)
    return landing.receive_one(delivery, moment, synthetic=False)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")


def _names(source: EmploymentAgency, transport: Transport) -> dict[str, str]:
    """The service's own name of every district and Land, by key. Raises SourceError."""
    received = transport.attempt(lambda: transport.send("GET", source.names_url), again=UncertainError)
    text = received.body.decode("utf-8", errors="replace")
    match = re.search(r"=\s*(\{.*\})\s*;?\s*$", text, re.DOTALL)
    try:
        lists = json.loads(match[1] if match else text)
    except ValueError:
        raise SourceError(f"{transport.host}: the list of region names is not readable") from None
    found: dict[str, str] = {}
    for entry in _entries(lists):
        kind, key, name = entry.get("Filtername"), str(entry.get("BA_SCHL", "")), entry.get("DESC")
        if name and kind in ("Kreis", "Bundesland"):
            found.setdefault(key[: 5 if kind == "Kreis" else 2], str(name))
    if not found:
        raise SourceError(f"{transport.host}: the list of region names holds no district")
    return found


def _entries(value: Any) -> list[dict[str, Any]]:
    """Every `formValues` in the list, wherever the service nests it."""
    if isinstance(value, dict):
        own = [value["formValues"]] if isinstance(value.get("formValues"), dict) else []
        return own + [entry for inner in value.values() for entry in _entries(inner)]
    if isinstance(value, list):
        return [entry for inner in value for entry in _entries(inner)]
    return []

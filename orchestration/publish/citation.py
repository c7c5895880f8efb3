"""How a table of a release is cited, so that the same figures are found again.

Belongs here: the words and the link. Does not belong here: where a release is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from expectations.catalogue.model import PublishedTable
from orchestration.publish.release import Release
from orchestration.settings import Publishing


@dataclass(frozen=True)
class Citation:
    """`text` for a footnote, `bibtex` for a list of references, `link` to exactly this version."""

    text: str
    bibtex: str
    link: str


def cite(release: Release, table: PublishedTable, publication: Publishing) -> Citation:
    """The citation of one published table as one release has it. Raises KeyError if the release does not have it.

    Without a configured address the link is a name (`urn:sha256:…` of the Parquet file), which still says which one.
    """
    state = release.manifest["tables"][table.id]
    file = f"parquet/{table.id}.parquet"
    digest = release.manifest["files"][file]["sha256"]
    city = release.manifest["municipality"]["name"]
    who = publication.publisher.name if publication.publisher else f"Stadt {city}"
    link = f"{publication.base_url}/{release.id}/{file}" if publication.base_url else f"urn:sha256:{digest}"
    year, day = release.manifest["created_at"][:4], _german(release.manifest["created_at"][:10])
    notice = f" {release.manifest['notice']}." if release.manifest["notice"] else ""
    version = state["schema_version"]
    text = (
        f"{who} ({year}): Bildungsmonitoring. {table.title.de} ({table.id}, Version {version}), Veröffentlichung {release.id} "
        f"vom {day}.{notice} Lizenz {release.manifest['licence']}. {link} (SHA-256 {digest[:16]}…)"
    )
    bibtex = "\n".join([
        f"@misc{{{table.id}_{release.id},",
        f"  author = {{{{{who}}}}},",
        f"  title = {{Bildungsmonitoring: {table.title.de}}},",
        f"  year = {{{year}}},",
        f"  version = {{{release.id}}},",
        f"  howpublished = {{{link}}},",
        f"  note = {{SHA-256 {digest}.{notice}}}",
        "}",
    ])  # fmt: skip
    return Citation(text, bibtex, link)


def _german(day: str) -> str:
    year, month, date = day.split("-")
    return f"{date}.{month}.{year}"

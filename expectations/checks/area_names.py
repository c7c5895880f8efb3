"""Area names: does a key still mean the area it meant in the last release?

What: the name beside every key against the name readers know, by their likeness; and one name for one key tonight.
When it matters: labels change ("Kreisfreie Stadt", "kreisfreie Stadt") and do not matter; a key that suddenly carries
another area's name is a shifted column of keys.
How to resolve: compare keys and names in the delivered file; a true renaming is waived.
"""

from __future__ import annotations

import difflib
import re

from expectations.checks.base import Check, Subject, Words, both, listed, table_scope
from expectations.verdict import Status, Verdict

_WORDS = Words("area_names")

_ALIKE = 0.6


def _core(name: str) -> str:
    """What of a name tells the area: without its kind and whatever stands in brackets."""
    text = re.sub(r"\(.*?\)|,.*$", "", name.lower())
    return re.sub(r"\b(kreisfreie stadt|landkreis|stadt|kreis|stat\. region)\b|[^a-zäöüß ]", "", text).strip()


def _run(subject: Subject, scope: str) -> Verdict:
    if subject.frame is None or subject.frame.empty:
        return _WORDS.not_built(subject, scope)
    names = subject.frame[["area_code", "area_name"]].drop_duplicates().astype("object").dropna()
    known = subject.before.area_names if subject.before else {}
    wrong = [
        f"{code}: „{known[code]}“ → „{name}“"
        for code, name in zip(names["area_code"], names["area_name"], strict=True)
        if code in known
        and _core(known[code]) != _core(name)
        and difflib.SequenceMatcher(None, _core(known[code]), _core(name)).ratio() < _ALIKE
    ]
    counts = names["area_code"].value_counts()
    wrong += [f"{code}: {count} names" for code, count in counts.items() if count > 1]
    expected = "every key means the area it meant"
    if wrong:
        return _WORDS.say(
            subject, scope, Status.FAIL, observed=f"{len(wrong)} keys: {listed(wrong)}", expected=expected,
            **both("{n:Schlüssel trägt|Schlüssel tragen} den Namen eines anderen Gebiets: {keys}.",
                   "{n:key carries|keys carry} another area's name: {keys}.", n=len(wrong), keys=listed(wrong)),
        )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed=f"{len(names)} keys", expected=expected,
        **both("{n:Gebietsschlüssel trägt seinen|Gebietsschlüssel tragen ihren} Namen.",
               "{n:area key carries its name|area keys carry their names}.", n=len(names)),
    )  # fmt: skip


CHECK = Check("area_names", table_scope, _run)

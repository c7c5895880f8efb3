"""Encoding: are names and footnotes free of damaged characters?

What: replacement characters, two-letter ruins of umlauts (Ã¼ for ü), question marks inside words, control characters, in
names of areas and in footnotes.
When it matters: a file read in the wrong encoding: the figures are right, the city's name in the report is not.
How to resolve: have the file read in its own encoding; mixed encodings are repaired by the sender.
"""

from __future__ import annotations

import re

from expectations.checks.base import Check, Subject, Words, listed, table_scope
from expectations.verdict import Status, Verdict

_WORDS = Words("encoding")

DAMAGE = re.compile(
    "\ufffd|[ÃÂ][\u0080-\u00bf¤¶¼Ÿ„“–œž]|â€|\\w\\?\\w|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u0080-\u009f]"
)


def _run(subject: Subject, scope: str) -> Verdict:
    if subject.frame is None or subject.frame.empty:
        return _WORDS.not_built(subject, scope)
    names = {
        str(n)
        for c in ("area_name", "indicator_name_de", "period_label")
        for n in subject.frame[c].dropna().unique()
    }
    texts = sorted(names | set(subject.footnotes))
    wrong = [f"„{text[:80]}“" for text in texts if DAMAGE.search(text)]
    expected = "no damaged character"
    if wrong:
        return _WORDS.say(
            subject, scope, Status.FAIL, observed=f"{len(wrong)} texts: {listed(wrong)}", expected=expected,
            de=f"{len(wrong)} Texte mit beschädigten Zeichen: {listed(wrong)}.",
            en=f"{len(wrong)} texts with damaged characters: {listed(wrong)}.",
        )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed=f"0 of {len(texts)} texts", expected=expected,
        de=f"{len(texts)} Namen und Fußnoten ohne beschädigte Zeichen.",
        en=f"{len(texts)} names and footnotes without damaged characters.",
    )  # fmt: skip


CHECK = Check("encoding", table_scope, _run)

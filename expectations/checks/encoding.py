"""Encoding: are names and footnotes free of damaged characters?

What: replacement characters, two-letter ruins of umlauts (Ã¼ for ü), question marks inside words, control characters, in
names of areas and in footnotes.
When it matters: a file read in the wrong encoding: the figures are right, the city's name in the report is not.
How to resolve: have the file read in its own encoding; mixed encodings are repaired by the sender.
"""

from __future__ import annotations

import re

from expectations.checks.base import Check, Subject, Words, both, listed, table_scope
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
            **both("{n:Text|Texte} mit beschädigten Zeichen: {texts}.", "{n:text|texts} with damaged characters: {texts}.",
                   n=len(wrong), texts=listed(wrong)),
        )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed=f"0 of {len(texts)} texts", expected=expected,
        **both("{n:Name oder Fußnote|Namen und Fußnoten} ohne beschädigte Zeichen.",
               "{n:name or footnote|names and footnotes} without damaged characters.", n=len(texts)),
    )  # fmt: skip


CHECK = Check("encoding", table_scope, _run)

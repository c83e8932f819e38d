"""The mutation score of the vault: how many of slither-mutate's mutants a test notices.

Fails below 95 %.

Run: make contracts-score                    all of them, half an hour or more
     make contracts-score SCORE=200          so many of them, drawn at random, always the same
     make contracts-score SCORE="20 Budget"  of the files whose path contains the word

Mutants that do not compile, and those whose code is that of the sound vault, do not count; nor do
those listed in equivalent.txt, with the reason ("file: old -> new: why").
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from compiling import creation_codes, sound_code
from mutations import Mutant, change, mutants
from trying import Bench

LEAST = 0.95
_SEED, _AT_ONCE = 14, 50
_EQUIVALENT = Path(__file__).parent / "equivalent.txt"


def main(words: Sequence[str]) -> None:
    limit = next((int(word) for word in words if word.isdigit()), None)
    parts = [word for word in words if not word.isdigit()]
    asked = [one for one in mutants() if all(part in one.file for part in parts)]
    random.Random(_SEED).shuffle(asked)
    sound, known = sound_code(), _EQUIVALENT.read_text().splitlines()
    tally: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="score-") as folder:
        bench = Bench(Path(folder))
        bench.require_sound(sound)
        for mutant, code in islice(_that_differ(asked, sound), limit):
            line, changed = change(mutant)
            is_known = any(row.startswith(f"{mutant.file}: {changed}: ") for row in known)
            test = None if is_known else bench.noticed_by(mutant, code)
            verdict = "equivalent" if is_known else "noticed" if test else "MISSED"
            tally[verdict] += 1
            _say(f"{verdict} {mutant.file}:{line} {mutant.mutator} {changed} {test or ''}".rstrip())
    score = tally["noticed"] / max(tally["noticed"] + tally["MISSED"], 1)
    _say(", ".join(f"{count} {verdict}" for verdict, count in sorted(tally.items())))
    _say(f"score {score:.1%}")
    if score < LEAST:
        raise SystemExit(
            f"the mutation score is below {LEAST:.0%}: write a test for what is MISSED"
        )


def _that_differ(asked: Sequence[Mutant], sound: str) -> Iterator[tuple[Mutant, str]]:
    for start in range(0, len(asked), _AT_ONCE):
        batch = asked[start : start + _AT_ONCE]
        for mutant, code in zip(batch, creation_codes(batch), strict=True):
            if code not in (None, sound):
                yield mutant, str(code)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])

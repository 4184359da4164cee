"""A play, broken in the ways that are named with a plus between them: `python broken_play.py WAYS JOB`."""

from __future__ import annotations

import sys

from autonomy.evaluation.play import main
from tests.verify.breaks import BREAKS

if __name__ == "__main__":
    for way in sys.argv[1].split("+"):
        BREAKS[way]()
    sys.exit(main(sys.argv[2:]))

"""The main job on real input: a real server, a real worker, real sound, on loopback.

``python -m tests.live --scenario merged`` runs one scenario and writes what was heard, the
journal and a report into ``build/live``.
"""

import os

# The sums are small: threads for them would only spin, and take the CPU from the sound. It has to
# be said before numpy is loaded.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

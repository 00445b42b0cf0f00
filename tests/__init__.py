"""The tests. Whatever must be set before a library is imported is set here."""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy reads it when it is imported; its waiting threads cost CPU time

"""No garbage collection from the import of this module to `end`: while modules are imported, little becomes garbage.

Looking for it took a fifth of the computing time of an import of `app`.
"""

import gc

gc.disable()


def end() -> None:
    """Collects garbage again, but no longer looks through what is there now, since modules stay."""
    gc.freeze()
    gc.enable()

"""What trainings in a test have in common."""

from functools import partial

import pytest

from bloodcell_utils.experiments import compact


@pytest.fixture(scope="module")
def thin_network():
    """CompactNet with all of its layers and few maps in each, computed operation by operation.

    For a handful of batches a graph is built longer than it computes; in graphs it is trained in tests/models.
    """
    from tensorflow.config import run_functions_eagerly

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compact, "CompactNet", partial(compact.CompactNet, widths=(8, 8, 8, 8, 8)))
        run_functions_eagerly(True)
        yield
    run_functions_eagerly(False)

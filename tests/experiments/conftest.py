"""What trainings in a test have in common."""

from functools import partial

import pytest

from bloodcell_utils.experiments import compact


@pytest.fixture(scope="module")
def thin_network(eagerly):
    """CompactNet with all of its layers and few maps in each; in graphs it is trained in tests/models."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compact, "CompactNet", partial(compact.CompactNet, widths=(8, 8, 8, 8, 8)))
        yield

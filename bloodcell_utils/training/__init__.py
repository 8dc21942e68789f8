"""Training that shows its progress, survives an interruption and keeps the best epoch.

``fitting``      settings, the loop over epochs, history
``checkpoints``  the state of a training in files
``prefix``       the frozen part's answers, computed once
``muon``         the optimiser of CompactNet
``schedule``     a learning rate that rises and falls
``descent``      gradient descent small enough to be drawn
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={
    "fitting": ["History", "Settings", "balanced_weights", "fit", "predict"],
    "prefix": ["activations"],
})  # fmt: skip

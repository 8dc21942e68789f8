"""What moves, on a page without Python or in a live notebook.

``page``             a piece of HTML that shows itself
``frames``           pictures behind sliders, made of figures and layers
``explorers``        augmentation, borders of an SVM, learning rate
``matrix_explorer``  a confusion matrix to click on, galleries of cells
``kernel``           a kernel to lay over a cell, number by number
``prevalence``       a threshold among common and rare cells; ``curves``, a training epoch by epoch
``cell_widget``      a cell under sliders; ``labelling``, a round of naming cells
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={
    "matrix_explorer": ["explore_matrix", "gallery", "pair"],
    "kernel": ["explore_kernel"],
    "prevalence": ["explore_threshold"],
    "curves": ["epoch_slider"],
    "explorers": ["explore_augmentation", "explore_borders", "explore_learning_rate"],
    "cell_widget": ["cell_builder", "parameter_slider"],
    "labelling": ["Round", "predict_by_colour", "draw_round", "reader_scores"],
    "frames": ["layer_frames", "layer_walk"],
})  # fmt: skip

"""Networks, and the features that a network trained on other pictures gives of a blood cell.

``backbones``        VGG-16 and Inception-v3: built, cut, unfrozen
``compactnet``       CompactNet, its ``layers``, and what it is given (``compactnet_input``, without Keras)
``pretrained``       CompactNet's trained weights, which came with this package; answers without Keras
``features``         numbers from images: colour histogram, frozen networks
``kernel_svm``       the paper's support vector machine
``summary``          what a network is made of, in tables
``runtime``          Keras on this machine
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["layers", "pretrained"], submod_attrs={
    "backbones": ["BACKBONES", "backbone", "classifier", "split_at", "unfreeze", "weights_file"],
    "compactnet": ["CompactNet"],
    "compactnet_input": ["IMAGE", "VIEW"],
    "features": ["closeups", "color_histogram", "extract"],
    "kernel_svm": ["KernelSVM"],
    "pretrained": ["logits", "network", "weights", "write_base"],
    "runtime": ["load_keras"],
    "summary": ["block_table", "layer_table", "module_table", "roads"],
})  # fmt: skip

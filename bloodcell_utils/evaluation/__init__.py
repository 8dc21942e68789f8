"""What a model's answers are worth, where it looks, and which cells are behind its mistakes.

``metrics``          counts, rates, intervals, tests
``calibration``      temperature, threshold for giving a name, distance from what is known
``error_analysis``   whose mistakes, how sure, shared with whom
``explain``          feature maps, Grad-CAM, occlusion
``counterfactuals``  drawn cells, changed in one parameter
``adaptation``       the network brought to another laboratory; ``contract``, what a picture must be
``prediction``       `predict`: cells read with the network that came with this package
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["adaptation", "calibration"], submod_attrs={
    "metrics": ["accuracy", "at_equal_counts", "balanced_accuracy", "bootstrap", "confusion_matrix", "kappa",
                "mcnemar", "mean_sd", "one_vs_rest", "per_class", "two_proportions", "wilson"],
    "error_analysis": ["answers_by_stage", "errors_by_subtype", "most_confident", "shared_errors", "subtypes"],
    "explain": ["feature_maps", "grad_cam", "rank_correlation", "map_layers", "occlusion", "shuffled_weights"],
    "counterfactuals": ["effects", "flips", "preset", "sweep", "pretrained_proba"],
    "prediction": ["UNSURE", "predict", "predict_proba"],
})  # fmt: skip

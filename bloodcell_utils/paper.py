"""What Acevedo et al. 2019 print, as data, each with its place in the paper.

Source: A. Acevedo, S. Alférez, A. Merino, L. Puigví, J. Rodellar, "Recognition of peripheral blood cell images using
convolutional neural networks", Computer Methods and Programs in Biomedicine 180 (2019) 105020.

Where the paper disagrees with itself, `Printed.other` holds the second value and `Printed.note` says so. Percentages
are kept as printed, not as fractions.
"""

from dataclasses import dataclass
from fractions import Fraction

from .cells import FOLDERS


@dataclass(frozen=True)
class Printed:
    """A number as printed.

    Attributes
    ----------
    value : float
        The number, in the unit of its name (accuracies and rates in percent).
    place : str
        Where the paper prints it.
    other : float or None
        A second value that the paper gives for the same thing.
    note : str
        What a careful reader should know.
    """

    value: float
    place: str
    other: float | None = None
    note: str = ""


# Table 1: images a class.
TABLE_1 = dict(zip(FOLDERS, (3329, 3117, 1218, 1214, 1420, 2895, 1551, 2348), strict=True))
N_IMAGES = sum(TABLE_1.values())

# Table 2 and section 3.2.2: the two networks. Poolings are counted as (size, step): layers; "average" is the last.
TABLE_2 = {
    "vgg16": {"input": (224, 224), "features": 4096, "parameters": Printed(
        160e6, "text", 138_357_544, "the network of Simonyan and Zisserman (2015) has 138,357,544 parameters"),
        "convolutions": 13, "max_poolings": {(2, 2): 5}, "average_poolings": {}},
    "inception_v3": {"input": (299, 299), "features": 2048,
        "convolutions": 5, "modules": (3, 4, 2),
        "max_poolings": {(3, 2): 4, (3, 1): 1}, "average_poolings": {(3, 1): 8, (8, 1): 1}},
}  # fmt: skip

# Split sizes in images; the two designs hold back the same number for the test. The validation images are as many as
# eight times 512; the rarest class has 1,214 images in all.
SPLIT_SVM = {"train": 15_173, "test": 1_919}
SPLIT_FINE_TUNING = {"train": 11_077, "validation": 4_096, "test": 1_919}

HYPERPARAMETERS = {
    "svm_kernels": ("rbf", "cubic"),
    "cross_validation_folds": 5,
    "images_per_class": 4096,
    "images_per_class_svm": 4608,
    "versions": 4,  # "up to four different versions of each of the original images"
    "flips": ("vertical", "horizontal"),
    "rotation_degrees": (0, 60),
    "learning_rate": 1e-4,
    "epochs": 100,
    "best_epoch": {"vgg16": 80, "inception_v3": 78},
    "advised_images_per_class": 1000,  # section 6.3: "a minimum of 1,000 images per group"
    "advised_epochs": 80,
    "head_units": {"vgg16": (4096, 1024, 8), "inception_v3": (1024, 8)},
}

# On the test images (%), {(design, network): accuracy}.
ACCURACY = {
    ("svm", "vgg16"): Printed(87.4, "section 5.1", 86.0, "the abstract says 86"),
    ("svm", "inception_v3"): Printed(90.5, "section 5.1", 90.0, "the abstract says 90"),
    ("fine_tuned", "vgg16"): Printed(96.2, "section 5.2"),
    ("fine_tuned", "inception_v3"): Printed(95.0, "section 5.2", 94.9, "section 6.3 says 94.9"),
    ("fine_tuned_unbalanced", "vgg16"): Printed(93.9, "section 6.3"),
    ("fine_tuned_unbalanced", "inception_v3"): Printed(92.5, "section 6.3"),
}
CROSS_VALIDATION = {"vgg16": Printed(87.0, "section 4.1"), "inception_v3": Printed(88.0, "section 4.1")}

# Mean of the five folds with the cubic kernel (%), and the highest validation accuracy of the chosen fine-tuning (%).
CROSS_VALIDATION = {"vgg16": Printed(87.0, "section 4.1"), "inception_v3": Printed(88.0, "section 4.1")}
BEST_VALIDATION = {
    "vgg16": Printed(96.0, "section 4.2.1", 95.4, "Table 3 says 95.4"),
    "inception_v3": Printed(95.0, "section 4.2.1", 95.2, "Table 3 says 95.2"),
}
BALANCED_VALIDATION = 95.0  # section 6.3: with balanced images both networks' validation accuracies lie above it (%)


def printed_accuracy(design, network):
    """The accuracy (%) that the paper prints.

    Parameters
    ----------
    design : {"svm", "fine_tuned", "fine_tuned_unbalanced"}
    network : str

    Returns
    -------
    float or None
        None for a network that is not the paper's.
    """
    return getattr(ACCURACY.get((design, network)), "value", None)


# Table 3: validation accuracy (%), {images a class: {last blocks trained: accuracy}}.
TABLE_3 = {
    "vgg16": {
        512: {1: 92.0, 2: 93.7, 4: 93.5},
        1024: {1: 93.0, 2: 95.0, 4: 95.0},
        2048: {1: 93.2, 2: 95.0, 4: 95.5},
        4096: {1: 94.5, 2: 95.0, 4: 95.4},
    },
    "inception_v3": {
        512: {1: 92.7, 2: 92.0, 4: 91.8, 6: 92.7, 8: 91.0},
        1024: {1: 92.3, 2: 93.0, 4: 93.2, 6: 94.0, 8: 94.0},
        2048: {1: 93.0, 2: 94.0, 4: 94.0, 6: 95.0, 8: 95.0},
        4096: {1: 93.0, 2: 94.7, 4: 95.2, 6: 96.0, 8: 96.0},
    },
}
TABLE_3_CHOSEN = {"vgg16": (4096, 4), "inception_v3": (4096, 4)}

# True-positive rates (%) that the text quotes, {(design, network): {class folder: rate}}.
TRUE_POSITIVE_RATE = {
    ("svm", "vgg16"): {"platelet": 99.22, "monocyte": 76.17, "erythroblast": 76.56},
    ("fine_tuned", "vgg16"): {"neutrophil": 99.61, "eosinophil": 99.61, "platelet": 99.61, "monocyte": 95.31},
    ("fine_tuned", "inception_v3"): {
        "neutrophil": 99.61, "eosinophil": 98.83, "platelet": 98.44, "monocyte": 87.89},
}  # fmt: skip

# "True positive rates for neutrophils, eosinophils and platelets (99.61%) classes": the bracket stands behind the
# platelets and may be theirs alone.
BRACKET = {("fine_tuned", "vgg16"): ("neutrophil", "eosinophil")}

# Where the text gives a bound instead of a rate (%), {(design, network): {class folder: the rate is greater than}}.
RATE_ABOVE = {
    ("svm", "vgg16"): {
        "platelet": 98.0, "neutrophil": 98.0, "eosinophil": 85.0, "lymphocyte": 85.0, "basophil": 85.0, "ig": 85.0},
    ("fine_tuned", "vgg16"): dict.fromkeys(("basophil", "lymphocyte", "monocyte", "ig", "erythroblast"), 90.0),
}  # fmt: skip

# Fig. 14: the five kinds of cells that two earlier works classify, too. Of these works the text gives accuracies alone
# (%, section 1.1), each with what it was reached by; the rates of Fig. 14 stand in the drawing only.
FIG_14 = ("neutrophil", "eosinophil", "basophil", "lymphocyte", "monocyte")
EARLIER_WORKS = {
    "Habibzadeh et al. (2013)": {"a convolutional network": 85.0},
    "Shahin et al. (2017)": {"AlexNet": 91.2, "LeNet-5": 84.9, "their own network, at most": 96.0},
}

# Section 6.3 on Fig. 18: without balance the rates of these "groups with smaller number of images" fall in both
# networks. By Table 1 there are more immature granulocytes than platelets, which are not among them.
FALL_UNBALANCED = ("lymphocyte", "monocyte", "ig", "basophil", "erythroblast")

# Confusions of the fine-tuned VGG-16 (%), {(true, predicted): share of the true class}.
CONFUSIONS = {
    ("monocyte", "ig"): 3.12,
    ("ig", "neutrophil"): 3.12,
    ("erythroblast", "lymphocyte"): 3.12,
    ("basophil", "eosinophil"): 2.58,
}

# Fig. 15: one map of each of two layers of VGG-16, with ImageNet's weights and fine-tuned, {layer: map}. The paper does
# not say whether it counts from 0 or from 1; the course counts from 0.
FIG_15 = {"block3_conv1": 38, "block3_conv2": 27}

# Fig. 16: kinds of cells that are taken for one another, as sub-types.
FIG_16 = (
    (("MO",), ("PMY", "MMY")),
    (("MMY",), ("BNE", "SNE")),
    (("ERB",), ("LY",)),
    (("BA",), ("EO",)),
)


def as_count(percent, denominator=256):
    """The count out of `denominator` that prints as `percent`, if there is one.

    Parameters
    ----------
    percent : float
        A rate, 0-100, printed with two decimals.
    denominator : int
        Images of the class in the test set.

    Returns
    -------
    int or None
        None if no count rounds, or truncates, to the printed rate.

    Examples
    --------
    >>> as_count(99.61), as_count(2.58)
    (255, None)
    """
    count = round(percent * denominator / 100)
    off = abs(Fraction(100 * count, denominator) - Fraction(str(percent)))
    return count if off < Fraction(1, 100) else None

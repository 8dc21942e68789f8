from pathlib import Path

import keras
import numpy as np
from PIL import Image

FOLDER = Path("cells")  # 1: your folder, with a folder for each kind
base, prepare = keras.saving.load_model("base.keras"), np.float32  # 2
ENDS = ["block1", "block2", "block3"]  # 3: the layers that end its blocks
SIZE, MIDDLE = 96, 0.75  # pixels, and the share of a picture's sides

import hashlib

files = sorted(p for p in FOLDER.glob("*/*.jpg") if p.name[0] != ".")
kinds = sorted({path.parent.name for path in files})
y = np.array([kinds.index(path.parent.name) for path in files])
copies = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
copies = np.unique(copies, return_inverse=True)[1]
print(f"{len(files)} images of {len(kinds)} kinds: {', '.join(kinds)}")

def load(path):
    try:
        image = Image.open(path).convert("RGB")
    except OSError as err:
        raise OSError(f"{path}: {err}") from None
    left, top = (side * (1 - MIDDLE) / 2 for side in image.size)
    box = (left, top, image.width - left, image.height - top)
    return np.asarray(image.resize((SIZE, SIZE), box=box))


images = np.stack([load(path) for path in files])

from sklearn.model_selection import StratifiedGroupKFold

folds = StratifiedGroupKFold(6, shuffle=True, random_state=0)
rest, test = next(folds.split(files, y, copies))
again = next(folds.split(rest, y[rest], copies[rest]))
learn, choose = (rest[rows] for rows in again)
print(f"{len(learn)} to learn, {len(choose)} to choose, {len(test)} to test")

def ask(model, rows):
    batches = np.array_split(rows, len(rows) // 32 + 1)
    shown = (prepare(images[batch]) for batch in batches)
    return np.concatenate([model.predict_on_batch(b) for b in shown])


ends = [base.get_layer(name).output for name in ENDS]
numbers = [keras.ops.mean(maps, axis=(1, 2)) for maps in ends]
numbers += [keras.ops.std(maps, axis=(1, 2)) for maps in ends]
describe = keras.Model(base.input, keras.ops.concatenate(numbers, axis=1))

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

svm = make_pipeline(StandardScaler(), SVC(kernel="rbf", C=10))
svm.fit(ask(describe, rest), y[rest])
by_svm = svm.predict(ask(describe, test))
print(f"frozen features and a machine: {(by_svm == y[test]).mean():.1%}")

front = keras.Model(base.input, ends[-2])
seen_learn, seen_choose = ask(front, learn), ask(front, choose)
x = keras.layers.GlobalAveragePooling2D()(base.output)
x = keras.layers.Dense(64, "relu", name="head")(x)
x = keras.layers.Dense(len(kinds), "softmax", name="answer")(x)
end = keras.Model(ends[-2], x)

def set_free(block_too):
    for layer in end.layers:
        new = layer.name in ("head", "answer")
        statistics = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = new or (block_too and not statistics)

def fit(rate, epochs):
    best = {"patience": 3, "restore_best_weights": True}
    stop = keras.callbacks.EarlyStopping("val_loss", **best)
    how = {"epochs": epochs, "callbacks": [stop], "verbose": 0}
    adam = keras.optimizers.Adam(rate)
    end.compile(adam, "sparse_categorical_crossentropy")
    held = (seen_choose, y[choose])
    end.fit(seen_learn, y[learn], validation_data=held, **how)

keras.utils.set_random_seed(0)
set_free(block_too=False)
fit(rate=1e-3, epochs=15)
set_free(block_too=True)
fit(rate=1e-4, epochs=8)
network = keras.Sequential([front, end])
tuned = ask(network, test).argmax(axis=1)
print(f"fine-tuned network: {(tuned == y[test]).mean():.1%}")

from sklearn.metrics import classification_report, confusion_matrix

print(confusion_matrix(y[test], tuned))
print(classification_report(y[test], tuned, target_names=kinds))

network.save("mine.keras")
mine = keras.saving.load_model("mine.keras")
p = mine.predict(prepare(load(files[test[0]])[None]), verbose=0)[0]
print(f"{files[test[0]].name}: {kinds[p.argmax()]}, {p.max():.0%}")

// The networks, beside the page: whatever they are given, the page does not freeze.

import * as ort from "./ort.wasm.bundle.min.mjs";
import { altered, nucleusWidth, open, prepare } from "./picture.js";

const SIZE = 128;
const LITTLE = 2; // levels that a browser may alter: it changes no name

async function bytes(name) {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

async function load() {
  const [engine, weights] = await Promise.all(["ort-wasm-simd-threaded.wasm", "compactnet.onnx"].map(bytes));
  ort.env.wasm.numThreads = 1; // more need headers that a host of static pages does not send
  ort.env.wasm.wasmBinary = engine; // as bytes, its type does not matter
  return ort.InferenceSession.create(weights);
}

const change = altered();
const networks = change > LITTLE ? Promise.reject("altered") : load();

async function read(levels) {
  const picture = new ort.Tensor("float32", Float32Array.from(levels), [1, SIZE, SIZE, 3]);
  const session = await networks, start = performance.now();
  const { probabilities, strangeness, heat } = await session.run({ picture });
  const milliseconds = performance.now() - start;
  return { probabilities: [...probabilities.data], strangeness: strangeness.data[0], heat: [...heat.data], milliseconds };
}

// What is odd about a picture that gets no name: as `contract.remarks`.
async function odd(levels, named) {
  const turned = levels.map((_, i) => levels[i - (i % 3) + 2 - (i % 3)]);
  return { exchanged: named(await read(turned)), nucleus: nucleusWidth(levels, SIZE) };
}

let last = {}; // the picture that was opened last: moving the crop need not open it again

onmessage = async ({ data: { id, file, crop, threshold } }) => {
  const named = ({ probabilities, strangeness }) => Math.max(...probabilities) >= threshold && strangeness <= 1;
  try {
    if (file !== last.file) {
      last.bitmap?.close();
      last = { file: null };
      last = { file, ...(await open(file)) };
    }
    const levels = prepare(last.bitmap, crop, SIZE);
    const notes = [...last.notes];
    if (change) notes.push("Your browser alters the pixels a little: the last digits may differ.");
    const seen = await read(levels);
    postMessage({ id, levels, notes, ...seen, odd: named(seen) ? null : await odd(levels, named) });
  } catch (problem) {
    if (typeof problem !== "string") console.warn(problem);
    postMessage({ id, problem: typeof problem === "string" ? problem : "This picture could not be read." });
  }
};

networks
  .then(() => read(new Uint8Array(SIZE * SIZE * 3))) // the first one is slow
  .then(() => postMessage({ ready: true }))
  .catch((problem) => postMessage({ failed: String(problem) }));

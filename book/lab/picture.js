// Files to what the network is given. Resizing is Pillow's, to the last level: Python and the page must agree.

const MOST_BYTES = 60e6, LARGE = 1024, SMALL = 32; // px
const BITS = 4194304; // 2^22, the precision of Pillow's weights
const DARK = 0.5, LEAST = 40; // as `contract.nucleus_width` has them

// By how many levels, at most, a picture read back differs from what was drawn: some browsers answer with noise.
export function altered() {
  const drawn = new ImageData(SMALL, SMALL);
  const context = new OffscreenCanvas(SMALL, SMALL).getContext("2d", { willReadFrequently: true });
  drawn.data.forEach((_, i) => (drawn.data[i] = i % 4 === 3 ? 255 : (97 * i) % 256));
  context.putImageData(drawn, 0, 0);
  const read = context.getImageData(0, 0, SMALL, SMALL).data;
  return drawn.data.reduce((most, level, i) => Math.max(most, Math.abs(level - read[i])), 0);
}

// What to tell the reader is thrown as text; everything else is an error of ours.
export async function open(file) {
  const notes = [];
  if (file.size === 0) throw "This file is empty.";
  if (file.size > MOST_BYTES) throw `This file has ${Math.round(file.size / 1e6)} MB; the lab opens up to 60 MB.`;
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (components(bytes) === 4) notes.push("It is in a printer's colours (CMYK), which the browser has converted.");
  if (await frames(file, bytes) > 1) notes.push("It is animated; this is its first picture.");
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
  } catch {
    throw "This is no picture that your browser can open, or it is damaged. Try a JPEG or a PNG.";
  }
  const { width, height } = bitmap;
  if (Math.min(width, height) < SMALL) notes.push(`It has only ${width} × ${height} pixels: there is little to see.`);
  return { bitmap, notes };
}

// The central square in levels 0-255, RGB, `size` pixels a side.
export function prepare(bitmap, crop, size) {
  const side = Math.min(bitmap.width, bitmap.height) * crop, shrink = Math.min(1, LARGE / side);
  const part = shrink < 1 ? [(bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side] : null;
  const width = part ? LARGE : bitmap.width, height = part ? LARGE : bitmap.height;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white"; // under what is transparent
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, ...(part ?? [0, 0, width, height]), 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height).data;
  const rest = part ? 1 : crop, kept = rest * Math.min(width, height);
  const across = weights(width, (width - kept) / 2, (width + kept) / 2, size);
  const down = weights(height, (height - kept) / 2, (height + kept) / 2, size);
  if (height > size && height - size > 2 * (width - size)) { // then Pillow begins with the height
    const columns = along(turn(pixels, width, height, 4), height, width, 3, down);
    return along(turn(columns, size, width), width, size, 3, across);
  }
  const rows = along(pixels, width, height, 4, across);
  return turn(along(turn(rows, size, height), height, size, 3, down), size, size);
}

// How wide the nucleus in the middle is, in pixels, as `contract.nucleus_width` measures it; 0 without one.
export function nucleusWidth(levels, size) {
  const green = levels.filter((_, i) => i % 3 === 1), sorted = green.slice().sort(), middle = size / 2;
  const rank = 0.98 * (green.length - 1), below = Math.floor(rank);
  const glass = sorted[below] + (sorted[below + 1] - sorted[below]) * (rank - below);
  const dark = Array.from(green, (level) => level < DARK * glass);
  const far = (place) => (Math.floor(place / size) - middle) ** 2 + ((place % size) - middle) ** 2;
  let nearest = -1;
  dark.forEach((is, place) => {
    if (is && (nearest < 0 || far(place) < far(nearest))) nearest = place;
  });
  if (nearest < 0 || far(nearest) >= (size / 5) ** 2) return 0;
  const open = [nearest];
  let area = 0;
  while (open.length) {
    const place = open.pop(), x = place % size;
    if (!dark[place]) continue;
    dark[place] = false; // counted
    area += 1;
    open.push(place - size, place + size);
    if (x > 0) open.push(place - 1);
    if (x < size - 1) open.push(place + 1);
  }
  return area < LEAST ? 0 : Math.sqrt((4 * area) / Math.PI);
}

// For each place of the result: where it begins to read, and how much of each place counts.
function weights(length, start, stop, size) {
  start = Math.fround(start); // Pillow's borders, and their difference, are in single precision
  const scale = Math.fround(Math.fround(stop) - start) / size, support = Math.max(scale, 1);
  return Array.from({ length: size }, (_, place) => {
    const middle = start + (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(middle - support + 0.5));
    const last = Math.min(length, Math.trunc(middle + support + 0.5));
    const share = [];
    for (let x = first; x < last; x++) share.push(Math.max(0, 1 - Math.abs((x - middle + 0.5) / support)));
    const total = share.reduce((a, b) => a + b, 0);
    return { first, share: share.map((value) => Math.trunc((value / total) * BITS + 0.5)) };
  });
}

// Each row of an image of so many channels in another length; three channels come out.
function along(from, width, height, channels, wanted) {
  const to = new Uint8ClampedArray(wanted.length * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (const { first, share } of wanted) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = BITS / 2, place = (y * width + first) * channels + channel;
        for (const value of share) {
          sum += value * from[place];
          place += channels;
        }
        to[at++] = Math.floor(sum / BITS);
      }
    }
  }
  return to;
}

// Rows become columns; three channels come out.
function turn(from, width, height, channels = 3) {
  const to = new Uint8ClampedArray(3 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < 3; channel++)
        to[(x * height + y) * 3 + channel] = from[(y * width + x) * channels + channel];
  return to;
}

// How many colour channels a JPEG file has; 0 for other files.
function components(bytes) {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return 0;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; at += 2 + bytes[at + 2] * 256 + bytes[at + 3]) {
    const marker = bytes[at + 1];
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return bytes[at + 9];
  }
  return 0;
}

async function frames(file, bytes) {
  if (!("ImageDecoder" in self) || !/gif|webp|png|avif/.test(file.type)) return 1;
  const decoder = new ImageDecoder({ data: bytes, type: file.type });
  try {
    await decoder.tracks.ready;
    return decoder.tracks.selectedTrack?.frameCount ?? 1;
  } catch {
    return 1; // opening it says what is wrong
  } finally {
    decoder.close();
  }
}

/** The original expression network, by its own code: pictures of 112x112 RGB bytes in, seven logits each out.

    node vision_port.mjs PACKAGE PICTURES LOGITS

PACKAGE is the unpacked npm package @vladmandic/face-api, PICTURES the raw bytes, LOGITS the file of float32 to write. */
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, pictures, out] = process.argv.slice(2);
// its bundle is made for browsers, and looks for Node's own modules where it believes to be in Node
globalThis.process = undefined;
globalThis.window = globalThis;
globalThis.document = { createElement: () => ({ getContext: () => null, style: {} }) };
for (const name of ["HTMLImageElement", "HTMLCanvasElement", "HTMLVideoElement", "ImageData", "Image", "CanvasRenderingContext2D"])
  globalThis[name] ??= class {};
const faceapi = await import(pathToFileURL(`${folder}/dist/face-api.esm.js`).href);
const { tf, nets } = faceapi;
await tf.setBackend("cpu");
await tf.ready();

const manifest = JSON.parse(readFileSync(`${folder}/model/face_expression_model-weights_manifest.json`, "utf8"));
const weights = readFileSync(`${folder}/model/face_expression_model.bin`);
const bytes = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength);
const net = nets.faceExpressionNet;
net.loadFromWeightMap(tf.io.decodeWeights(bytes, manifest[0].weights));

const raw = readFileSync(pictures);
const size = 112 * 112 * 3;
const found = new Float32Array((raw.length / size) * 7);
for (let at = 0; at * size < raw.length; at++) {
  const pixels = Float32Array.from(raw.subarray(at * size, (at + 1) * size));
  const input = new faceapi.NetInput([tf.tensor3d(pixels, [112, 112, 3])]);
  const logits = tf.tidy(() => net.runNet(input));
  found.set(logits.dataSync(), at * 7);
}
writeFileSync(out, Buffer.from(found.buffer));

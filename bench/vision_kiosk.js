// A camera that shows what the benchmark draws, and a note of every change of the kiosk's page, on the page's own clock.
(() => {
  const canvas = document.createElement("canvas");
  canvas.width = 640;
  canvas.height = 480;
  const context = canvas.getContext("2d");
  const scenes = {};
  const notes = [];
  let scene = "nobody";
  let number = 0;

  function draw() {
    const frames = scenes[scene];
    if (frames) context.drawImage(frames[number++ % frames.length], 0, 0, canvas.width, canvas.height);
    else context.fillRect(0, 0, canvas.width, canvas.height); // a video without a first picture keeps the page loading for ever
  }

  function note() {
    const mode = document.querySelector("#kiosk")?.dataset.mode;
    const words = document.querySelector("[data-testid=kiosk-headline]")?.textContent ?? "";
    const last = notes.at(-1);
    if (mode && (mode !== last?.mode || words !== last?.words)) notes.push({ at: performance.now(), mode, words });
  }

  async function picture(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
  }

  globalThis.bench = {
    async load(name, texts) {
      scenes[name] = await Promise.all(texts.map(picture));
    },
    show(name) {
      scene = name;
      number = 0;
      draw();
      return performance.now();
    },
    async wait(since, mode, words, patience) {
      const right = (one) => one.mode === mode && one.words.includes(words);
      while (performance.now() - since < patience) {
        note();
        const last = notes.at(-1);
        if (last && right(last)) return Math.max(last.at, since);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return null;
    },
  };
  setInterval(draw, 1000 / 30);
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(30);
})();

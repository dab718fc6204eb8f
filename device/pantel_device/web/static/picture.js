/** The live picture: decodes what comes and draws the newest, never an old one, nothing in a hidden tab. */

// Browsers enlarge a canvas bilinearly, which shows small pictures as diamonds; so the first step is a better one.
const ENLARGED = 2;

/** @typedef {import("./wire.js").LivePicture} LivePicture */
/** @typedef {import("./wire.js").PictureHeader} PictureHeader */

export class PictureView {
  #canvas;
  #context;
  #onShown;
  /** @type {LivePicture | null} */
  #next = null;
  #busy = false;
  #shown = 0;

  /**
   * @param {HTMLCanvasElement} canvas its `data-pictures` counts the pictures that it has shown
   * @param {(header: PictureHeader) => void} onShown
   */
  constructor(canvas, onShown) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.#onShown = onShown;
    document.addEventListener("visibilitychange", () => this.#work());
  }

  /**
   * Takes a picture; if another comes before this one could be drawn, that is drawn instead.
   * @param {LivePicture} picture
   */
  show(picture) {
    this.#next = picture;
    this.#work();
  }

  /** Forgets what is waiting and clears the canvas. */
  clear() {
    this.#next = null;
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  async #work() {
    if (this.#busy || document.hidden) return;
    this.#busy = true;
    while (this.#next && !document.hidden) {
      const picture = this.#next;
      this.#next = null;
      try {
        const bitmap = await createImageBitmap(picture.jpeg);
        this.#draw(bitmap);
        bitmap.close(); // at once: ten a second would fill the memory before they are collected
        this.#shown += 1;
        this.#canvas.dataset.pictures = String(this.#shown);
        this.#onShown(picture.header);
      } catch (error) {
        console.warn("a picture could not be shown:", error);
      }
    }
    this.#busy = false;
  }

  /** @param {ImageBitmap} bitmap */
  #draw(bitmap) {
    const width = bitmap.width * ENLARGED;
    const height = bitmap.height * ENLARGED;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#context.imageSmoothingQuality = "high"; // a new size resets it
    }
    this.#context.drawImage(bitmap, 0, 0, width, height);
  }
}

/** The picture as motion JPEG in an image: what is left where WebSocket does not get through. */

const RETRY_MS = 3000;

export class Motion {
  #image;
  #retry = 0;
  #address = "";

  /** @param {HTMLImageElement} image */
  constructor(image) {
    this.#image = image;
    image.addEventListener("error", () => {
      if (!this.#address) return;
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#load(), RETRY_MS);
    });
  }

  /**
   * Shows a stream, or ends it.
   * @param {import("./connection.js").Choice | null} choice
   */
  show(choice) {
    const address = choice ? `/stream.mjpeg?${new URLSearchParams(choice)}` : "";
    if (address === this.#address) return;
    this.#address = address;
    clearTimeout(this.#retry);
    if (address) this.#load();
    else this.#image.removeAttribute("src"); // which ends the request
  }

  #load() {
    this.#image.src = `${this.#address}&try=${Date.now()}`;
  }
}

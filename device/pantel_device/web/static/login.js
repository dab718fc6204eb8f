/** The log-in page: sends the token without leaving the page, and says what is wrong with it. */

import { byId, setText } from "./dom.js";
import { duration, loadTexts, t } from "./texts.js";

await loadTexts();
document.title = t("login.title");

const form = byId("login");
const field = byId("token");
const button = byId("login-send");
if (new URLSearchParams(location.search).has("wrong")) tell("login.wrong");

form.addEventListener("submit", async (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  button.disabled = true;
  try {
    const body = new URLSearchParams({ token: field.value.trim() });
    const response = await fetch("/login", { method: "POST", body });
    if (response.status === 429) {
      await countDown(Number(response.headers.get("Retry-After")) || 60);
    } else if (response.ok && new URL(response.url).pathname !== "/login") {
      location.assign("/");
      return;
    } else {
      tell(response.status >= 500 ? "login.failed" : "login.wrong");
    }
  } catch {
    tell("login.failed");
  }
  button.disabled = false;
  field.select();
});

byId("token-show").addEventListener("change", (/** @type {Event} */ event) => {
  field.type = /** @type {HTMLInputElement} */ (event.target).checked ? "text" : "password";
});

/**
 * @param {string} key
 * @param {Record<string, string>} [values]
 */
function tell(key, values) {
  setText(byId("login-message"), t(key, values));
  field.setAttribute("aria-invalid", "true");
}

/**
 * Waits, and says for how long: an early try would only prolong it.
 * @param {number} seconds
 */
async function countDown(seconds) {
  for (let left = Math.ceil(seconds); left > 0; left -= 1) {
    tell("login.too_many", { time: duration(left) });
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  tell("login.again");
}

/** Questions to the receiver that are answered with JSON. */

/** An answer that is no success. */
export class HttpError extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

/** Leaves for the log-in page. */
export function goToLogin() {
  location.assign("/login");
}

/**
 * @param {string} address
 * @param {RequestInit} [options]
 */
async function ask(address, options) {
  const response = await fetch(address, options);
  const sentAway = response.redirected && new URL(response.url).pathname === "/login";
  if (response.status === 401 || sentAway) {
    goToLogin();
    throw new HttpError(401);
  }
  if (!response.ok) throw new HttpError(response.status);
  return response;
}

/**
 * @param {string} address
 * @returns {Promise<any>}
 * @throws {HttpError} another answer than success
 * @throws {TypeError} no answer
 */
export async function getJson(address) {
  return (await ask(address, { cache: "no-store" })).json();
}

/**
 * @param {string} address
 * @param {object} body
 * @throws {HttpError} another answer than success
 * @throws {TypeError} no answer
 */
export async function postJson(address, body) {
  const headers = { "Content-Type": "application/json" };
  await ask(address, { method: "POST", headers, body: JSON.stringify(body) });
}

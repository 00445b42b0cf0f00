// @ts-check
/** Reads for somebody who is not signed in, as a guest of the company. The token lasts as long as the page. */

import { get, post } from "../api.js";

/** @param {string} company @returns {typeof get} */
export function guestReader(company) {
  let token = "";
  return async function read(path, query = {}) {
    const isNew = !token;
    token ||= (await post("/api/auth/guest", { company }, { anonymous: true })).data.access_token;
    try {
      return await get(path, query, { anonymous: true, headers: { Authorization: `Bearer ${token}` } });
    } catch (error) {
      if (isNew || /** @type {any} */ (error).status !== 401) throw error;
      token = ""; // it was over
      return read(path, query);
    }
  };
}

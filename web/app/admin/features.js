// @ts-check
/** Parts of the API that some versions of the server do not have; a page shows nothing of what is not there. */

export const features = {
  /** POST /api/auth/invite: a person chooses their own password by mail. */
  invite: false,
  /** GET and DELETE /api/auth/sessions. */
  sessions: false,
};

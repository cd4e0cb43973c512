/** Header of the request that carries what the bytes must add up to: hex, as `sha256sum` prints it. */
export const UPLOAD_SHA256_HEADER = "x-content-sha256";

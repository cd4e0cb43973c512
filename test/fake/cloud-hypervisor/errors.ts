/** An error of the API: an array of strings from top to root, and the status it goes out with. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly chain: string[],
  ) {
    super(chain.join(": "));
  }
}

/** The status depends on the cause alone: what is not there is 404, all else 500. */
export function apiError(...chain: [what: string, cause: string, ...string[]]): ApiError {
  const absent = chain[1] === "VM is not created" || chain[1] === "VM config is missing";
  return new ApiError(absent ? 404 : 500, ["Error from API", ...chain]);
}

/** Header of a reply that was kept: the artifact's id. A file of its own: the client has no use for the schemas, which cost time to load. */
export const ARTIFACT_HEADER = "x-overhyped-artifact";

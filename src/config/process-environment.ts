/** The environment this process was started with. The one place outside `loadConfig` that touches `process.env`. */
export const processEnvironment = (): Record<string, string | undefined> => process.env;

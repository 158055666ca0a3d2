// The version of this package, as told to the server. A test compares it with package.json.
export const SDK_VERSION = "0.1.0";

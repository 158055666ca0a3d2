// Room: main. The version this server answers with; scripts keep it equal to package.json's (a test compares them).
export const VERSION = "0.1.0";

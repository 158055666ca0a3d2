// Room: runtime. Imported by socket.ts before `ws`, for its effect alone: `ws` then masks frames itself and does not look for the optional native
// package. Bundlers that cannot find that package (Next.js is one) put an empty object in its place, on which every frame fails.

process.env.WS_NO_BUFFER_UTIL ??= "1";
process.env.WS_NO_UTF_8_VALIDATE ??= "1";

// Room login: where to go after logging in. Pure; called by LoginPage and tested.

/** `next` when it is a path of this page's own origin, else the home page: a link must not send a person elsewhere after login. */
export const localPath = (next: string | undefined): string => (next && /^\/(?![/\\])/.test(next) ? next : "/");

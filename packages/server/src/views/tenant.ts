// Room: views. One organization and one project a server, until someone needs more; v2's wire names both.
export const ORGANIZATION = { id: "org_holdfast", title: "Holdfast", slug: "holdfast" };
export const PROJECT = { id: "proj_holdfast", name: "Holdfast", slug: "holdfast" };

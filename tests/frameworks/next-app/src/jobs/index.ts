// export all your job files here

export * from "./digest";
export * from "./welcome";

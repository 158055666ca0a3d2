// export all your job files here

export * from "./enrol";

import "./orders/place";
import "./orders/reserve";

export { client } from "./client";

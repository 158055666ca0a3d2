// Where the page starts: one query client, one router, nothing else. Loaded by index.html.
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiFailure } from "./api/client.ts";
import { sessionQuery } from "./api/queries.ts";
import { router } from "./router.tsx";
import "./styles.css";

/** Retries what may pass by itself: an unreachable or overloaded server. A refusal stays a refusal. */
const mayPass = (error: Error): boolean => !(error instanceof ApiFailure) || error.status === 0 || error.status >= 500;

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError(error, query) {
      const lapsed = error instanceof ApiFailure && error.status === 401 && query.queryKey[0] !== "session";
      if (lapsed) void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  }),
  defaultOptions: {
    queries: { staleTime: 2_000, retry: (count, error) => count < 2 && mayPass(error), refetchOnWindowFocus: true },
  },
});

const place = document.getElementById("root");
if (!place) throw new Error("index.html has no #root");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);

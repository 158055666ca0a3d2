// Room chrome: the router's root. Asks who is looking, sends strangers to the login page, and picks the environment.
import { useQuery } from "@tanstack/react-query";
import { Navigate, Outlet, useRouterState, useSearch } from "@tanstack/react-router";
import { sessionQuery } from "../api/queries.ts";
import { Async, Loading } from "../parts/layout.tsx";
import { chooseEnvironment, EnvironmentProvider } from "./environment.tsx";
import { Shell } from "./Shell.tsx";

export function Root() {
  const session = useQuery({ ...sessionQuery, retry: true, retryDelay: 2_000 });
  const path = useRouterState({ select: (state) => state.location.pathname });
  const href = useRouterState({ select: (state) => state.location.href });
  const onLogin = useRouterState({ select: (state) => state.matches.some((match) => match.routeId === "/login") });
  const { env } = useSearch({ from: "__root__" });
  return (
    <Async query={session} what="session">
      {(info) => {
        if (onLogin) return <Outlet />;
        if (!info.authenticated && path === "/login") return <Loading what="login page" />;
        if (!info.authenticated) return <Navigate to="/login" search={{ next: href }} replace />;
        return (
          <EnvironmentProvider value={chooseEnvironment(info.environments, env)}>
            <Shell session={info} />
          </EnvironmentProvider>
        );
      }}
    </Async>
  );
}

export function NoPage() {
  return (
    <div className="p-10 text-center">
      <h1 className="text-lg font-semibold">No such page</h1>
      <p className="mt-1 text-soft">The address names nothing here. The rail has every page.</p>
    </div>
  );
}
